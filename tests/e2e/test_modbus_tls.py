"""modbus-agent over Modbus/TCP Security: who is let in, who is not, and what is said about it."""

import datetime
import ipaddress
import json
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import contract
import stand
from modbus_wire import Pymodbus, RawServer, registers

ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
DEVICE = "iot/facility_a/line_001"
NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)


class Authority:
    """A root that signs certificates into a folder: NAME.pem and NAME.key."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {name}")])
        builder = self._builder(self.subject, self.key, NOW + 30 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._write(name, builder.sign(self.key, hashes.SHA256()), self.key)

    def _builder(self, subject, key, until):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 60 * DAY)
            .not_valid_after(until)
        )

    def _write(self, name, certificate, key):
        pem = serialization.Encoding.PEM
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def sign(self, name, hosts=(), role=None, until=NOW + 20 * DAY):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key, until)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(hosts)), critical=False)
        if role:
            der = bytes([12, len(role)]) + role.encode()  # ASN.1 UTF8String
            builder = builder.add_extension(x509.UnrecognizedExtension(ROLE, der), critical=False)
        self._write(name, builder.sign(self.key, hashes.SHA256()), key)


def address(text="127.0.0.1"):
    return x509.IPAddress(ipaddress.ip_address(text))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    ours = Authority(folder)
    ours.sign("server", [address(), x509.DNSName("plc.example")], role="gateway")
    ours.sign("named", [x509.DNSName("plc.example")])
    ours.sign("elsewhere", [x509.DNSName("other.example"), address("192.0.2.1")])
    ours.sign("expired", [address()], until=NOW - DAY)
    ours.sign("agent", role="operator")
    others = Authority(folder, "others")
    others.sign("stranger")
    others.sign("impostor", [address()])
    return folder


class TlsServer(RawServer):
    """A RawServer behind TLS; `name` says which certificate it shows."""

    def __init__(self, folder, answer, name="server", newest=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(folder / "ca.pem")
        self.context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        if newest:
            self.context.maximum_version = newest
        self.versions = []
        super().__init__(answer)
        self.url = self.url.replace("tcp", "tls")

    def _serve(self, peer):
        try:
            wrapped = self.context.wrap_socket(peer, server_side=True)
        except OSError:
            return
        self.peers.remove(peer)
        self.peers.append(wrapped)
        self.versions.append(wrapped.version())
        try:
            super()._serve(wrapped)
        except (OSError, ValueError):
            pass  # hung up


@pytest.fixture
def serve(certificates):
    running = []

    def start(answer=lambda _unit, pdu: registers(pdu[0], [7]), **options):
        running.append(TlsServer(certificates, answer, **options))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture(autouse=True)
def keeps_the_contract(request):
    listener = request.getfixturevalue("listener") if "listener" in request.fixturenames else None
    yield
    for message in listener.messages if listener else ():
        contract.check(message.topic, message.payload)


def config(url, folder, name="agent", period="50ms", actuators=(), **bus):
    points = [{"name": "n", "table": "input", "address": 0}]
    group = {"measurement": "fine", "period": period, "points": points}
    return {
        "buses": [
            {
                "url": url,
                "timeout": "300ms",
                "reconnect": {"first": "50ms", "max": "300ms"},
                "ca_file": str(folder / "ca.pem"),
                "cert_file": str(folder / f"{name}.pem"),
                "key_file": str(folder / f"{name}.key"),
                **bus,
                "devices": [
                    {"unit": 1, "location": "facility_a", "device": "line_001", "groups": [group],
                     "actuators": list(actuators)}
                ],
            }
        ]
    }  # fmt: skip


def values(message):
    """Of a message's first reading: those from before there was a connection come as an array."""
    return (message.json[0] if isinstance(message.json, list) else message.json)["values"]


def online(listener, **wait):
    return listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "online", **wait)


def test_a_server_no_one_here_wrote(listener, start, certificates, tmp_path):
    server = Pymodbus({1: {"input": {0: [5]}, "coil": {0: [False]}}}, tmp_path, certificates).start()
    pump = {"name": "pump", "table": "coil", "address": 0}
    try:
        agent = start("modbus-agent", config(server.url, certificates, actuators=[pump]))
        online(listener)
        assert values(listener.wait(f"{DEVICE}/telemetry/fine")) == {"n": 5}
        listener.publish(f"{DEVICE}/command/pump", "ON")
        assert listener.wait(f"{DEVICE}/result/pump").json["result"] == "ok"
        mark = listener.mark()
        server.kill()
        listener.wait(f"{DEVICE}/status", lambda m: m.json["reason"].startswith("link_down"), since=mark)
        mark = listener.mark()
        server.start()
        online(listener, since=mark)
    finally:
        server.kill()
    up = next(line for line in agent.log().splitlines() if " bus_up" in line)
    assert 'own_role="operator"' in up and 'peer_role="gateway"' in up and 'peer="server"' in up


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(listener, start, serve, certificates, newest):
    server = serve(newest=newest)
    start("modbus-agent", config(server.url, certificates))
    online(listener)
    assert server.versions[0] == newest.name.replace("_", ".")
    assert server.connections == 1


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    "shown, settings, sentence",
    [
        ("expired", {}, "certificate has expired"),
        ("elsewhere", {}, "the server's certificate is not for 127.0.0.1"),
        ("server", {"server_name": "other.example"}, "the server's certificate is not for other.example"),
        ("impostor", {}, "the server's certificate is not accepted: unable to get local issuer certificate"),
        ("server", {"name": "stranger"}, "the server refuses us or our certificate"),
        ("server", {"cert_file": "/nowhere.pem"}, "cert_file /nowhere.pem: No such file or directory"),
        ("server", {"ca_file": "/nowhere.pem"}, "ca_file /nowhere.pem: No such file or directory"),
    ],
)  # fmt: skip
def test_who_is_not_accepted_is_told_why(listener, start, serve, certificates, newest, shown, settings, sentence):
    server = serve(name=shown, newest=newest)
    start("modbus-agent", config(server.url, certificates, **settings))
    offline = listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline" and m.json["reason"])
    assert sentence in offline.json["reason"]
    assert server.requests == []


def test_the_name_is_checked_not_the_address(listener, start, serve, certificates):
    server = serve(name="named")
    start("modbus-agent", config(server.url, certificates, server_name="plc.example"))
    online(listener)


def test_what_speaks_no_tls_is_told_apart(listener, start, certificates):
    server = RawServer(lambda _unit, pdu: registers(pdu[0], [7]))
    try:
        start("modbus-agent", config(server.url.replace("tcp", "tls"), certificates, connect_timeout="500ms"))
        offline = listener.wait(f"{DEVICE}/status", lambda m: m.json["state"] == "offline")
        assert "no TLS" in offline.json["reason"]
    finally:
        server.close()


def test_links_come_and_go(listener, start, serve, certificates):
    server = serve()
    agent = start("modbus-agent", config(server.url, certificates, period="20ms"))
    online(listener)
    fds = len(list(open_files(agent)))
    for _ in range(20):
        mark = listener.mark()
        before = len(server.versions)
        server.hang_up()
        stand.wait_until(lambda n=before: len(server.versions) > n, what="another connection")
        listener.wait(f"{DEVICE}/telemetry/fine", lambda m: values(m) == {"n": 7}, since=mark)
    stand.wait_until(lambda: len(list(open_files(agent))) <= fds, what="the descriptors to be closed")
    assert agent.stop() == 0, agent.log()


def open_files(agent):
    return Path(f"/proc/{agent.process.pid}/fd").iterdir()


def test_late_answers_and_silence_are_as_without_tls(listener, start, serve, certificates):
    lateness = iter([0, 0.4, 0, 0.5] + [0] * 10000)
    asked = iter(range(10000))

    def answer(_unit, pdu):
        time.sleep(next(lateness))  # in the thread that reads: a connection of TLS is one thread's alone
        return registers(pdu[0], [next(asked)])

    server = serve(answer)
    start("modbus-agent", config(server.url, certificates))
    counters = listener.wait(
        "iot/_service/+/health", lambda m: m.json["counters"].get("late_replies", 0) >= 1, timeout_s=25
    ).json["counters"]
    assert counters["timeouts"] >= 1
    assert server.connections == 1
    assert not listener.find(f"{DEVICE}/telemetry/fine", lambda m: values(m).get("n") in (1, 3))


def run(*words):
    return subprocess.run([stand.BUILD / "modbus-agent", *words], capture_output=True, text=True, timeout=60)


def test_tools(tmp_path, serve, certificates):
    server = serve()
    path = tmp_path / "tls.json"
    path.write_text(json.dumps(config(server.url, certificates)))
    once = run("--config", path, "--once")
    assert once.returncode == 0 and "\t7\t" in once.stdout, once.stderr
    probe = run("--config", path, "--probe", server.url, "--units", "1", "--addresses", "0", "--expect", "7±0")
    assert probe.returncode == 0, probe.stderr
    found = tmp_path / "found.json"
    found.write_text(probe.stdout)
    assert run("--config", found, "--once").returncode == 0
    assert "--config" in run("--probe", server.url).stderr


def test_bad_configuration_is_named(tmp_path, certificates):
    path = tmp_path / "bad.json"
    bad = config("tls://plc.example", certificates)
    del bad["buses"][0]["key_file"]
    path.write_text(json.dumps(bad))
    assert "buses[0].key_file" in run("--config", path, "--check").stderr
    path.write_text(json.dumps(config("tcp://plc.example", certificates)))
    said = run("--config", path, "--check")
    assert said.returncode == 78 and "buses[0].ca_file" in said.stderr and "tls://" in said.stderr
