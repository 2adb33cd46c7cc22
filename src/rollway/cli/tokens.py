"""tokens: who may send readings and metrics to Rollway."""

from __future__ import annotations

import click

from rollway.cli.common import actor_option, json_option, opened, print_json


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def tokens(ctx: click.Context, as_json: bool) -> None:
    """Say who may send readings and metrics to Rollway; make and revoke tokens.

    \b
    Example
      rollway tokens create ticket-desk
      rollway tokens
      rollway tokens revoke 3
    """
    if ctx.invoked_subcommand is not None:
        return
    with opened(ctx) as rollway:
        rows = rollway.pushed.tokens()
    if as_json:
        print_json([dict(row._mapping) for row in rows])
    elif not rows:
        click.echo("There is no token yet. Make one with: rollway tokens create SOURCE")
    for row in rows if not as_json else ():
        used = f"last used {row.used_at:%Y-%m-%d %H:%M}" if row.used_at else "never used"
        state = f"revoked {row.revoked_at:%Y-%m-%d %H:%M}" if row.revoked_at else used
        made = f"made {row.created_at:%Y-%m-%d %H:%M} by {row.created_by}"
        click.echo(f"{row.id:>4}  {row.source:<24}  {made}; {state} (UTC)")


@tokens.command()
@click.argument("source")
@actor_option
@json_option
@click.pass_context
def create(ctx: click.Context, source: str, actor: str, as_json: bool) -> None:
    """Make a token with which SOURCE may send, and nothing else. It is shown this once."""
    from rollway.app.service import checked_name
    from rollway.errors import InputError
    from rollway.signals.push_rows import NAME

    if not NAME.fullmatch(source):
        raise InputError(
            f"{source[:60]!r} is no name of a source",
            hint="1 to 60 letters, digits and ._/-, such as ticket-desk",
        )
    with opened(ctx) as rollway:
        number, text = rollway.pushed.new_token(source, checked_name(actor))
    if as_json:
        print_json({"id": number, "source": source, "token": text})
        return
    click.echo(text)
    click.echo(f"Token {number}, for {source}. It is kept nowhere: put it where {source} finds it.", err=True)


@tokens.command()
@click.argument("number", type=int)
@click.pass_context
def revoke(ctx: click.Context, number: int) -> None:
    """Let the token with this number be valid no more, from the next request on."""
    with opened(ctx) as rollway:
        source = rollway.pushed.revoke(number)
    click.echo(f"Token {number} of {source} is revoked.")
