"""A Modbus TCP server that no one here wrote: Debian's pymodbus, with a map given as JSON.

    pymodbus_server.py PORT '{"1": {"holding": {"0": [1, 2]}, "coil": {"0": [true]}, "stuck": [0]}}' [TLS]

TLS is a folder with ca.pem, server.pem and server.key: then it is Modbus/TCP Security, for clients with a
certificate only.

Addresses that the map does not name answer exception 2; units that it does not name are silent. Coils
listed as "stuck" take a write and keep their value.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server import StartAsyncTcpServer, StartAsyncTlsServer
from pymodbus.transaction import ModbusSocketFramer


class Coils(ModbusSparseDataBlock):
    def __init__(self, values, stuck):
        super().__init__(values)
        self.stuck = set(stuck)

    def setValues(self, address, values, use_as_default=False):
        if address not in self.stuck:
            super().setValues(address, values)


def block(given):
    return ModbusSparseDataBlock({int(address): values for address, values in given.items()} or {65535: 0})


def unit(given):
    coils = {int(address): values for address, values in given.get("coil", {}).items()}
    return ModbusSlaveContext(
        di=block(given.get("discrete", {})),
        co=Coils(coils or {65535: 0}, given.get("stuck", [])),
        ir=block(given.get("input", {})),
        hr=block(given.get("holding", {})),
        zero_mode=True,
    )


def tls(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "ca.pem")
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def main():
    units = {int(number): unit(given) for number, given in json.loads(sys.argv[2]).items()}
    options = {
        "context": ModbusServerContext(slaves=units, single=False),
        "address": ("127.0.0.1", int(sys.argv[1])),
        "ignore_missing_slaves": True,
        "allow_reuse_address": True,
    }
    if len(sys.argv) > 3:  # its own framer for TLS leaves the header out, which the specification does not
        options |= {"sslctx": tls(Path(sys.argv[3])), "framer": ModbusSocketFramer}
        asyncio.run(StartAsyncTlsServer(**options))
    else:
        asyncio.run(StartAsyncTcpServer(**options))


if __name__ == "__main__":
    main()
