"""A wire between an agent and a simulator's TCP port: it can lose what goes over it, and it can be pulled."""

import os
import pty
import select
import socket
import threading
import time
import tty

READS_AT_ONCE = 4096


class _Wire:
    """Carries what comes, piece by piece. A request is one piece, and so is its answer.

    lose_answer(which) swallows the answer to the next request of which which(bytes) is true, lose_request(which) that
    request itself; `lost` counts them.
    """

    def __init__(self, port):
        self.port = port
        self.lost = 0
        self.asked = []  # (monotonic time, bytes) of what the agent sent
        self._which = None
        self._request_too = False
        self._losing = False
        self._ends = threading.Event()

    def lose_answer(self, which):
        self._which, self._request_too = which, False

    def lose_request(self, which):
        self._which, self._request_too = which, True

    def _dial(self):
        far = socket.create_connection(("127.0.0.1", self.port))
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return far

    def _asked(self, data):
        self.asked.append((time.monotonic(), data))
        if not self._which or not self._which(data):
            return data
        self._which = None
        if not self._request_too:
            self._losing = True
            return data
        self.lost += 1
        return b""

    def _answered(self, data):
        if self._losing:
            self._losing = False
            self.lost += 1
            return b""
        return data


class Tcp(_Wire):
    def __init__(self, port):
        super().__init__(port)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self._peers = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._ends.is_set():
            try:
                near, _ = self.server.accept()
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                far = self._dial()
            except OSError:
                return
            self._peers += [near, far]
            for pair in ((near, far, self._asked), (far, near, self._answered)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, target, look):
        try:
            while data := source.recv(READS_AT_ONCE):
                target.sendall(look(data))
        except OSError:
            pass
        for end in source, target:
            end.close()

    def close(self):
        self._ends.set()
        self.server.close()
        for peer in self._peers:
            peer.close()


class Terminal(_Wire):
    """The agent's end is a pseudo-terminal behind a symbolic link. The simulator's end stays connected while the
    cable is pulled, so that the device behind it lives on and hears nothing."""

    def __init__(self, port, link):
        super().__init__(port)
        self.link = str(link)
        self._far = self._dial()
        self._master = None
        self._lock = threading.Lock()
        self.plug()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def plug(self):
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), self.link)
        os.close(slave)
        with self._lock:
            self._master = master

    def pull(self):
        with self._lock:
            os.unlink(self.link)
            os.close(self._master)
            self._master = None

    def _carry(self):
        while not self._ends.is_set():
            ready = select.select([self._far], [], [], 0.002)[0]
            answer = self._answered(self._far.recv(READS_AT_ONCE)) if ready else b""
            with self._lock:
                if self._master is not None:
                    self._exchange(answer)

    def _exchange(self, answer):
        try:
            if answer:
                os.write(self._master, answer)
            if select.select([self._master], [], [], 0)[0]:
                self._far.sendall(self._asked(os.read(self._master, READS_AT_ONCE)))
        except OSError:  # EIO: nobody has the other end open
            time.sleep(0.002)

    def close(self):
        self._ends.set()
        self._thread.join(10)
        self._far.close()
        if self._master is not None:
            self.pull()
