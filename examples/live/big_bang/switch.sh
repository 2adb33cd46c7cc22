#!/bin/sh
# Points nginx at the old format (0) or at the new one (100). Told twice is told once.
set -eu
cd /srv/shop
case "$1" in
  0) to=web_old ;;
  100) to=web_new ;;
  *) echo "there is nothing between 0 and 100, and not $1" >&2; exit 2 ;;
esac
printf 'map "" $web { default "%s"; }\nmap "" $web_told { default "%s"; }\n' "$to" "$1" > next
mv next rollway-web.conf
nginx -q -c /srv/shop/nginx.conf -t
nginx -c /srv/shop/nginx.conf -s reload
echo "nginx sends everyone to $to"
