"""alerter's ways out, against real parts: an SMTP server with TLS and authentication, HTTP servers that misbehave,
programs, MQTT."""

import datetime
import email
import email.policy
import getpass
import hashlib
import hmac
import http.server
import ipaddress
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import contract
import stand
import wire

RULE = "over_pressure"
TOPIC = f"iot/hall/line_1/alert/{RULE}"
HOSTILE = 'hot <b>&"x"</b>\r\nBcc: victim@example.org\r\n\r\n"}],"text":"owned $(id) `id` 🔥'


# ---- the stand ----


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate for localhost and 127.0.0.1 that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


def server_context(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    return context


class Mailbox:
    """An SMTP server that keeps what it takes; `answers` is a script of replies to DATA, `unknown` nobody's address."""

    def __init__(self, authority, implicit=False, starttls=True):
        self.mails = []
        self.sessions = []
        self.answers = []
        self.unknown = {}
        context = server_context(authority)
        mailbox = self

        class Handler:
            async def handle_RCPT(self, _server, _session, envelope, address, _options):
                if address in mailbox.unknown:
                    return mailbox.unknown[address]
                envelope.rcpt_tos.append(address)
                return "250 known"

            async def handle_DATA(self, _server, session, envelope):
                answer = mailbox.answers.pop(0) if mailbox.answers else "250 kept"
                if answer.startswith("250"):
                    mailbox.sessions.append((session.ssl is not None or implicit, session.authenticated))
                    mailbox.mails.append(
                        (envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default))
                    )
                return answer

        def authenticate(_server, _session, _envelope, _mechanism, data):
            return AuthResult(success=(data.login, data.password) == (b"plant", b"pa:ss word"))

        more = dict(authenticator=authenticate, hostname="localhost", enable_SMTPUTF8=True)
        if implicit:
            more.update(auth_require_tls=False)
            factory = lambda: SMTP(Handler(), auth_required=True, **more)  # noqa: E731
            self.controller = Controller(Handler(), hostname="127.0.0.1", port=stand.free_port(), ssl_context=context)
        else:
            tls = dict(tls_context=context, require_starttls=True, auth_required=True) if starttls else {}
            factory = lambda: SMTP(Handler(), **tls, **more)  # noqa: E731
            self.controller = Controller(Handler(), hostname="127.0.0.1", port=stand.free_port())
        self.controller.factory = factory
        self.controller.start()
        self.port = self.controller.port

    def wait_for(self, count):
        stand.wait_until(lambda: len(self.mails) >= count, what=f"{count} mails")
        return self.mails


@pytest.fixture
def mailbox(authority):
    started = []

    def start(**more):
        started.append(Mailbox(authority, **more))
        return started[-1]

    yield start
    for box in started:
        box.controller.stop()


class Hook:
    """An HTTP server on a bare socket: each connection gets the next step of the script, a callable; then 200."""

    def __init__(self):
        self.requests = []
        self.script = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.requests.append((self.path, dict(self.headers), body))
                step = hook.script.pop(0) if hook.script else answer(200)
                step(self)
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, count):
        stand.wait_until(lambda: len(self.requests) >= count, what=f"{count} requests")
        return self.requests

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def answer(status, body=b"", **headers):
    def step(handler):
        handler.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def hang(handler):
    handler.connection.settimeout(stand.PATIENCE_S)
    try:
        handler.rfile.read(1)
    except OSError:
        pass


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def lie_long(handler):
    """Promises more than it sends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")


def lie_endless(handler):
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def config(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    return {
        "service": {"instance": "alerter", "state_dir": str(state)},
        "channels": {},
        "route": {
            "channels": ["out"],
            "group_by": ["location", "device", "rule"],
            "group_wait": "0s",
            "group_interval": "0s",
        },
    }


QUICK = {"retry_first": "20ms", "retry_max": "50ms", "timeout": "2s", "breaker_failures": 100}


def secret(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text + "\n")
    return str(path)


def fire(listener, message="7.1 bar", episode=1, state="firing"):
    listener.publish(
        TOPIC,
        {
            "state": state,
            "severity": "critical",
            "since": int(time.time() * 1000),
            "value": 7.1,
            "message": message,
            "rule": RULE,
            "episode": episode,
        },
        retain=True,
    )


def wait_up(listener):
    listener.wait("iot/_service/alerter/status", lambda m: m.json["state"] == "online")


def ended(listener, channel="out", outcome="delivered"):
    message = listener.wait(f"iot/_notification/{channel}", lambda m: m.json["outcome"] == outcome)
    contract.check(message.topic, message.payload)
    return message.json


# ---- mail ----


def mail_channel(box, authority, tmp_path, scheme="smtp", **more):
    return {
        "type": "mail",
        "url": f"{scheme}://127.0.0.1:{box.port}",
        "username": "plant",
        "password_file": secret(tmp_path, "password", "pa:ss word"),
        "ca_file": str(authority / "cert.pem"),
        "from": "alerts@plant.example",
        "to": ["ops@plant.example", "boss@plant.example"],
        **QUICK,
        **more,
    }


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_over_tls_with_a_password(listener, start, config, mailbox, authority, tmp_path, scheme):
    box = mailbox(implicit=scheme == "smtps")
    config["channels"]["out"] = mail_channel(box, authority, tmp_path, scheme)
    service = start("alerter", config)
    wait_up(listener)
    fire(listener, HOSTILE)
    outcome = ended(listener)
    to, mail = box.wait_for(1)[0]
    assert box.sessions == [(True, True)]
    assert to == ["ops@plant.example", "boss@plant.example"]
    assert mail["To"] == "ops@plant.example, boss@plant.example" and mail["Bcc"] is None
    assert mail["Subject"].startswith("[critical] firing: critical hall/line_1 over_pressure: hot <b>")
    assert "🔥" in mail["Subject"]
    assert mail["Message-ID"] == f"<{outcome['id']}/out@plant.example>"
    plain, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    assert "hall/line_1 over_pressure: hot <b>" in plain
    assert "mosquitto_pub -t iot/hall/line_1/ack/over_pressure -m '{\"by\":" in plain
    assert "mosquitto_pub -t iot/hall/line_1/ack/over_pressure -m '{\"by\":" in html
    assert "hot &lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;" in html and "<b>" not in html
    assert mail.get_content_type() in ("multipart/mixed", "multipart/alternative")
    assert "pa:ss word" not in service.log()


def test_mail_waits_and_gives_up_as_the_server_says(listener, start, config, mailbox, authority, tmp_path):
    box = mailbox()
    box.answers = ["451 later", "451 later"]
    config["channels"]["out"] = mail_channel(box, authority, tmp_path)
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    assert ended(listener)["attempts"] == 3
    box.answers = ["554 never"]
    fire(listener, state="resolved")
    outcome = ended(listener, outcome="failed")
    assert outcome["attempts"] == 1 and outcome["error"]
    assert len(box.mails) == 1


def test_mail_goes_to_the_others_where_one_address_is_refused(
    listener, start, config, mailbox, authority, tmp_path
):
    """The others are told at once and once, and who reads the outcome hears of the address that is none."""
    box = mailbox()
    box.unknown = {"ops@plant.example": "550 no such user"}
    config["channels"]["out"] = mail_channel(box, authority, tmp_path)
    service = start("alerter", config)
    wait_up(listener)
    fire(listener)
    outcome = ended(listener)
    assert outcome["attempts"] == 1 and "550" in outcome["error"]
    assert [to for to, _ in box.mails] == [["boss@plant.example"]]
    stand.wait_until(lambda: "notification_in_part" in service.log(), what="its line in the log")
    health = "iot/_service/alerter/health"
    listener.wait(health, lambda m: m.json["counters"].get("in_part.out") == 1, timeout_s=3 * stand.PATIENCE_S)


def test_mail_that_every_address_refuses_is_refused(listener, start, config, mailbox, authority, tmp_path):
    box = mailbox()
    box.unknown = dict.fromkeys(["ops@plant.example", "boss@plant.example"], "550 no such user")
    config["channels"]["out"] = mail_channel(box, authority, tmp_path)
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    outcome = ended(listener, outcome="failed")
    assert outcome["attempts"] == 1 and "550" in outcome["error"]


EXIM_PATH = "/usr/sbin/exim4"
EXIM = """
primary_hostname = plant.example
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_certificate = {folder}/cert.pem
tls_privatekey = {folder}/key.pem
tls_advertise_hosts = *
auth_advertise_hosts = ${{if def:tls_in_cipher {{*}}}}
keep_environment =
queue_only
acl_smtp_rcpt = check
begin acl
check:
  deny !authenticated = *
  deny message = no such user
       local_parts = nobody_here
  accept domains = plant.example
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{plant}}}}{{eq{{$auth3}}{{pa:ss word}}}}}}}}
  server_set_id = $auth2
"""


@pytest.fixture
def exim(authority):
    """Exim, which keeps what it takes in its queue: the folder of its files, and its port."""
    if os.geteuid() != 0 or not os.path.exists(EXIM_PATH):
        pytest.skip(f"{EXIM_PATH} of the package exim4-daemon-light is needed, and root, who alone may start it")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="exim_"))
    port = stand.free_port()
    folder.chmod(0o755)
    (folder / "spool").mkdir()
    for name in ("cert.pem", "key.pem"):
        shutil.copy(authority / name, folder / name)
    (folder / "exim.conf").write_text(EXIM.format(folder=folder, port=port))
    for path in (folder, *folder.iterdir()):
        if path.name != "exim.conf":
            shutil.chown(path, "Debian-exim")  # as whom it goes on
    server = subprocess.Popen([EXIM_PATH, "-C", folder / "exim.conf", "-bdf"])
    stand.wait_until(lambda: stand.accepts(port), what="exim")
    yield folder, port
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


def test_mail_to_a_real_server(listener, start, config, exim, authority, tmp_path):
    """TLS, the password, an address that is none, and a mail that it can read."""
    folder, port = exim
    config["channels"]["out"] = {
        "type": "mail",
        "url": f"smtp://127.0.0.1:{port}",
        "username": "plant",
        "password_file": secret(tmp_path, "password", "pa:ss word"),
        "ca_file": str(authority / "cert.pem"),
        "from": "alerts@plant.example",
        "to": ["ops@plant.example", "nobody_here@plant.example", "boss@plant.example"],
        **QUICK,
    }
    start("alerter", config)
    wait_up(listener)
    fire(listener, HOSTILE)
    outcome = ended(listener)
    assert outcome["attempts"] == 1 and "550" in outcome["error"]
    (kept,) = (folder / "spool" / "input").rglob("*-D")
    (head,) = (folder / "spool" / "input").rglob("*-H")
    text = kept.read_text().partition("\n")[2]
    assert "\nops@plant.example\n" in head.read_text() and "\nboss@plant.example\n" in head.read_text()
    assert "nobody_here@plant.example\n\n" not in head.read_text()
    assert "A=plain:plant" in (folder / "mainlog").read_text() and "X=TLS1" in (folder / "mainlog").read_text()
    boundary = text.splitlines()[0][2:]
    mail = email.message_from_string(
        f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n{text}', policy=email.policy.default
    )
    assert "hall/line_1 over_pressure: hot <b>" in mail.get_body(("plain",)).get_content()
    assert "hot &lt;b&gt;" in mail.get_body(("html",)).get_content()


@pytest.mark.parametrize(
    "fault", ["wrong password", "unknown certificate", "wrong name", "no starttls", "nobody there"]
)
def test_mail_that_must_not_go_out_does_not(listener, start, config, mailbox, authority, tmp_path, fault):
    box = mailbox(starttls=fault != "no starttls")
    channel = mail_channel(box, authority, tmp_path, give_up_after="1s")
    if fault == "wrong password":
        channel["password_file"] = secret(tmp_path, "wrong", "guess")
    if fault == "unknown certificate":
        del channel["ca_file"]
    if fault == "wrong name":
        channel["url"] = f"smtp://127.0.0.2:{box.port}"
    if fault == "nobody there":
        channel["url"] = f"smtp://127.0.0.1:{stand.free_port()}"
    config["channels"] = {"out": channel, "log": {"type": "log"}}
    channel["fallback"] = "log"
    service = start("alerter", config)
    wait_up(listener)
    fire(listener)
    outcome = ended(listener, outcome="failed")
    fallen_back = ended(listener, "log")
    assert fallen_back["id"] == outcome["id"]
    assert outcome["error"] and box.mails == []
    assert "notification_fell_back" in service.log()


# ---- webhooks ----


def webhook(hook, **more):
    return {"type": "webhook", "url": hook.url + "/in", **QUICK, **more}


def test_signed_body_of_its_own(listener, start, config, hook, tmp_path):
    config["channels"]["out"] = webhook(
        hook,
        sign_key_file=secret(tmp_path, "key", "k3y"),
        body={"what": "{message}", "where": ["{location}", {"device": "{device}"}], "n": 1, "on": True},
    )
    start("alerter", config)
    wait_up(listener)
    fire(listener, HOSTILE)
    ended(listener)
    _, headers, body = hook.wait_for(1)[0]
    assert headers["X-Signature-256"] == "sha256=" + hmac.new(b"k3y", body, hashlib.sha256).hexdigest()
    document = json.loads(body)
    assert document["where"] == ["hall", {"device": "line_1"}] and (document["n"], document["on"]) == (1, True)
    assert document["what"].startswith('hot <b>&"x"</b>') and set(document) == {"what", "where", "n", "on"}


@pytest.mark.parametrize("fault", [hang, reset, lie_long, lie_endless, answer(500), answer(503, Retry_After="1")])
def test_server_that_fails_gets_it_again(listener, start, config, hook, fault):
    hook.script = [fault]
    config["channels"]["out"] = webhook(hook)
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    outcome = ended(listener)
    assert (outcome["attempts"], len(hook.requests)) == (2, 2)
    assert len({json.loads(body)["id"] for _, _, body in hook.requests}) == 1


def test_long_answer_is_no_failure(listener, start, config, hook):
    """Some servers echo what they got."""
    hook.script = [answer(200, b"x" * 500000)]
    config["channels"]["out"] = webhook(hook)
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    assert (ended(listener)["attempts"], len(hook.requests)) == (1, 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 413])
def test_refusals_and_redirects_end_it_and_the_fall_back_takes_over(listener, start, config, hook, status):
    hook.script = [answer(status, Location=f"{hook.url}/elsewhere")]
    config["channels"] = {"out": webhook(hook, fallback="second"), "second": webhook(hook, url=hook.url + "/second")}
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    first, second = ended(listener, outcome="failed"), ended(listener, "second")
    assert first["error"] == f"answer {status}" and first["attempts"] == 1
    assert [path for path, _, _ in hook.requests] == ["/in", "/second"]
    assert first["id"] == second["id"]


# ---- services ----


def test_chat_services_get_what_they_take(listener, start, config, hook, tmp_path):
    token = secret(tmp_path, "token", "12:Ab-c_d")
    url = secret(tmp_path, "url", hook.url + "/secret")
    config["channels"] = {
        "slack": {"type": "slack", "url_file": url, **QUICK},
        "mattermost": {"type": "mattermost", "url_file": url, **QUICK},
        "teams": {"type": "teams", "url_file": url, **QUICK},
        "telegram": {"type": "telegram", "url": hook.url, "token_file": token, "chat": "-100", **QUICK},
        "ntfy": {"type": "ntfy", "url": hook.url, "topic": "plant", "token_file": token, **QUICK},
        "gotify": {"type": "gotify", "url": hook.url + "/", "token_file": token, **QUICK},
    }
    config["route"]["channels"] = list(config["channels"])
    service = start("alerter", config)
    wait_up(listener)
    fire(listener, "hot <!channel> @all [x](y)")
    for name in config["channels"]:
        ended(listener, name)
    got = {}
    for path, headers, body in hook.requests:
        got.setdefault(path, []).append((headers, json.loads(body)))
    texts = [document["text"] for _, document in got["/secret"] if "text" in document]
    assert any("&lt;!channel&gt; @all" in text for text in texts)  # Slack
    assert any("@\u200ball \\[x\\]\\(y\\)" in text for text in texts)  # Mattermost
    card = next(d for _, d in got["/secret"] if "attachments" in d)["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["content"]["body"][0]["text"].startswith("firing")
    telegram = got["/bot12:Ab-c_d/sendMessage"][0][1]
    what, how = telegram.pop("text").split("\n")
    assert what.startswith("firing: critical hall/line_1 over_pressure: hot <!channel> @all [x](y), since 20")
    assert how == "acknowledge: mosquitto_pub -t iot/hall/line_1/ack/over_pressure -m '{\"by\":\"YOUR NAME\"}'"
    assert telegram == {
        "chat_id": "-100",
        "link_preview_options": {"is_disabled": True},
    }
    headers, ntfy = got["/"][0]
    assert headers["Authorization"] == "Bearer 12:Ab-c_d"
    assert (ntfy["topic"], ntfy["priority"]) == ("plant", 5) and ntfy["title"].startswith("firing")
    headers, gotify = got["/message"][0]
    assert headers["X-Gotify-Key"] == "12:Ab-c_d" and gotify["priority"] == 8
    assert "Ab-c_d" not in service.log() and "secret" not in service.log()


def test_what_a_service_answers_is_said_but_no_secret(listener, start, config, hook, tmp_path):
    hook.script = [answer(400, b'{"ok":false,"description":"Bad Request: chat\\n not \xff\xfe found"}')]
    hook.script += [answer(502, b"cannot connect to /secret")] * 2
    hook.script += [answer(404, b"no_service")]
    token = secret(tmp_path, "token", "12:Ab-c_d")
    url = secret(tmp_path, "url", hook.url + "/secret")
    config["channels"] = {
        "bot": {"type": "telegram", "url": hook.url, "token_file": token, "chat": "5", "fallback": "chat", **QUICK},
        "chat": {"type": "slack", "url_file": url, **QUICK},
    }
    config["route"]["channels"] = ["bot"]
    service = start("alerter", config)
    wait_up(listener)
    fire(listener)
    assert "answer 400: {" in (said := ended(listener, "bot", "failed")["error"]) and "Bad Request: chat" in said
    failed = ended(listener, "chat", "failed")
    assert (failed["error"], failed["attempts"]) == ("answer 404: no_service", 3)
    printed = subprocess.run(
        [stand.BUILD / "alerter", "--config", service.config_path, "--print-config"], capture_output=True, text=True
    )
    health = listener.wait("iot/_service/alerter/health", lambda m: m.json["counters"].get("failed.chat"))
    everything = service.log() + printed.stdout + printed.stderr + health.payload.decode()
    assert "Ab-c_d" not in everything and "/secret" not in everything and "notification_delayed" in everything


def test_telegram_says_when_in_its_body(listener, start, config, hook, tmp_path):
    hook.script = [answer(429, b'{"ok":false,"parameters":{"retry_after":1}}')]
    config["channels"]["out"] = {
        "type": "telegram", "url": hook.url, "token_file": secret(tmp_path, "token", "1:a"), "chat": "5", **QUICK
    }
    start("alerter", config)
    wait_up(listener)
    begun = time.monotonic()
    fire(listener)
    assert ended(listener)["attempts"] == 2
    assert time.monotonic() - begun >= 0.95


# ---- programs and MQTT ----


def program(tmp_path, text):
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_program_gets_it_on_its_input_and_nothing_else(listener, start, config, tmp_path):
    out = tmp_path / "out"
    config["channels"]["out"] = {
        "type": "command",
        "command": [program(tmp_path, f'env > {out}.env; echo "$@" > {out}.args; cat > {out}'), "$(id)", "a b"],
        **QUICK,
    }
    start("alerter", config)
    wait_up(listener)
    fire(listener, HOSTILE)
    ended(listener)
    assert json.loads(out.read_text())["alerts"][0]["message"] == HOSTILE
    assert (tmp_path / "out.args").read_text() == "$(id) a b\n"
    assert "hot" not in (tmp_path / "out.env").read_text()


@pytest.mark.parametrize(
    "text, error",
    [
        ("echo no paper >&2; exit 3", "exit code 3: no paper"),
        ("kill -TERM $$", "ended by signal 15"),
        ("{sleep} & {sleep}", "did not end in time"),
        ("exec >&- 2>&-; {sleep}", "did not end in time"),
    ],
)
def test_program_that_fails(listener, start, config, tmp_path, text, error):
    sleep = f"sleep 1234.{os.getpid()}"  # nobody else's
    config["channels"]["out"] = {
        "type": "command", "command": [program(tmp_path, text.replace("{sleep}", sleep))], **QUICK, "timeout": "300ms", "give_up_after": "1s"
    }
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    outcome = ended(listener, outcome="failed")
    assert error in outcome["error"] and outcome["attempts"] > 1
    assert not os.popen(f"pgrep -f '^{sleep}$'").read()


def is_read(fifo):
    """Whether somebody has it open for reading, who reads its end with this."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def test_program_that_leaves_something_behind(listener, start, config, tmp_path):
    """What it started in the background may go on: it has told, and is not run again."""
    end = tmp_path / "end"
    os.mkfifo(end)
    config["channels"]["out"] = {
        "type": "command",
        "command": [program(tmp_path, f"timeout 60 cat {end} & echo said; exit 0")],
        **QUICK,
        "timeout": "1s",
        "give_up_after": "1s",
    }
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    assert ended(listener)["attempts"] == 1
    stand.wait_until(lambda: is_read(end), what="the program left behind")


def test_program_that_does_not_read(run_program, config, tmp_path):
    """Nothing is broken by it, also where nobody has blocked SIGPIPE."""
    config["channels"]["out"] = {"type": "command", "command": [program(tmp_path, "exec <&-; exit 3")]}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    for _ in range(20):
        tool = run_program("alerter", "--config", path, "--test", "out")
        assert tool.process.wait(stand.PATIENCE_S) == 69
        assert "exit code 3" in tool.log()


def test_program_that_is_not_there(listener, start, config, tmp_path):
    config["channels"]["out"] = {"type": "command", "command": [str(tmp_path / "none")], **QUICK, "give_up_after": "1s"}
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    assert "No such file" in ended(listener, outcome="failed")["error"]


def test_mqtt_topic(listener, start, config):
    config["channels"]["out"] = {"type": "mqtt", "topic": "plant/alarms", "retain": True, **QUICK}
    start("alerter", config)
    wait_up(listener)
    fire(listener)
    outcome = ended(listener)
    document = listener.wait("plant/alarms").json
    assert document["id"] == outcome["id"] and document["alerts"][0]["rule"] == RULE


class DeafBroker(wire.Tcp):
    """A wire on which what goes to the broker is lost from the first packet on that has `sign` in it."""

    sign = None
    swallowed = b""

    def _asked(self, data):
        if not self.swallowed and not (self.sign and self.sign in data):
            return data
        self.swallowed += data
        return b""

    def heal(self):
        self.sign, self.swallowed = None, b""


def heard_and_pending(config, episode):
    """The ids that are still to be sent, once the memory on disk knows of the episode."""
    with open(config["service"]["state_dir"] + "/alerter.json") as file:
        lines = [next(iter(json.loads(line).items())) for line in file]
    if not any(kind == "alert" and document["episode"] == episode for kind, document in lines):
        return None
    return [document["notification"]["id"] for kind, document in lines if kind == "pending"]


def test_mqtt_is_delivered_when_the_broker_says_so(listener, start, config, broker):
    """The notification is on its way and never acknowledged; the alerter is killed, and tells it when it is back."""
    cable = DeafBroker(broker.port)
    config["mqtt"] = {"url": cable.url.replace("tcp://", "mqtt://")}
    config["channels"]["out"] = {"type": "mqtt", "topic": "plant/alarms", **QUICK}
    alerter = start("alerter", config)
    wait_up(listener)
    cable.sign = b"plant/alarms"
    fire(listener)
    sent = stand.wait_until(lambda: re.search(rb'"id":"([^"]+)"', cable.swallowed), what="it on the wire")[1].decode()
    fire(listener, episode=2)  # so that the memory is written once more
    stand.wait_until(lambda: heard_and_pending(config, 2) is not None, what="the second alert in the memory")
    alerter.kill()
    assert not listener.find("plant/alarms")
    cable.heal()
    alerter.start()
    assert listener.wait("plant/alarms").json["id"] == sent
    assert ended(listener)["id"] == sent
    alerter.stop()
    cable.close()


def test_mqtt_that_the_broker_refuses_falls_back(tmp_path, start, config):
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite iot/#\n")
    broker = stand.Broker(tmp_path, f"acl_file {acl}\nuser {getpass.getuser()}").start()
    config["mqtt"] = {"url": broker.url}
    config["channels"]["out"] = {"type": "mqtt", "topic": "plant/alarms", "fallback": "other", **QUICK}
    config["channels"]["other"] = {"type": "log"}
    ears = stand.Listener(broker.port)
    start("alerter", config)
    wait_up(ears)
    fire(ears)
    assert "reason code 135" in ended(ears, outcome="failed")["error"]
    ended(ears, "other")
    ears.close()
    broker.stop()
