# Debian's victoria-metrics in the place of influxdb:2.8: it answers /api/v2/write too.
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends victoria-metrics \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1000 -g 1000 /var/lib/influxdb2
USER 1000:1000
CMD ["victoria-metrics", "-httpListenAddr=:8086", "-storageDataPath=/var/lib/influxdb2", "-search.latencyOffset=0s"]
