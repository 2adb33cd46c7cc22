#!/bin/sh
# Whether all is prepared: the configuration is sound, and both versions answer.
set -eu
nginx -q -c /srv/shop/nginx.conf -t
curl -sf -o /dev/null -m 2 http://127.0.0.1:8081/health
curl -sf -o /dev/null -m 2 http://127.0.0.1:8082/health
echo "both versions answer, nginx is sound"
