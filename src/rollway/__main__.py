"""`python -m rollway` is the `rollway` command."""

from rollway.cli.main import main

main()
