#!/bin/sh
# The steps of the night that Rollway runs. Each writes its name into tasks.log, for those who count.
set -eu
cd /srv/shop
echo "$1" >> tasks.log
case "$1" in
  save-settings) cp nginx.conf nginx.conf.saved && cmp nginx.conf nginx.conf.saved ;;
  switch-migrate) sleep 0.5 && echo "120 orders converted" >> orders ;;
  convert-back) sleep 0.2 && echo "120 orders converted back" >> orders ;;
  *) echo "no such step: $1" >&2; exit 2 ;;
esac
echo "$1: done"
