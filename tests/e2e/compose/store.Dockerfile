# Debian's victoria-metrics in the place of influxdb:2.8 keeps the points; before it stands what the real one says to
# --setup, and refuses tokens that it did not make (../influx2.py).
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends victoria-metrics python3-minimal libpython3-stdlib \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1000 -g 1000 /var/lib/influxdb2
COPY influx2.py /usr/local/lib/
USER 1000:1000
CMD ["python3", "/usr/local/lib/influx2.py", "8086", "fieldline", "fieldline", "/run/secrets/admin_token", \
     "/var/lib/influxdb2/meta.json", "http://127.0.0.1:8428", "victoria-metrics", \
     "-httpListenAddr=127.0.0.1:8428", "-storageDataPath=/var/lib/influxdb2", "-search.latencyOffset=0s"]
