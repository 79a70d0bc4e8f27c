"""A Modbus TCP server that no one here wrote: Debian's pymodbus, with a map given as JSON.

    pymodbus_server.py PORT '{"1": {"holding": {"0": [1, 2]}, "coil": {"0": [true]}, "stuck": [0]}}'

Addresses that the map does not name answer exception 2; units that it does not name are silent. Coils
listed as "stuck" take a write and keep their value.
"""

import asyncio
import json
import sys

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server import StartAsyncTcpServer


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


def main():
    units = {int(number): unit(given) for number, given in json.loads(sys.argv[2]).items()}
    context = ModbusServerContext(slaves=units, single=False)
    asyncio.run(
        StartAsyncTcpServer(
            context=context,
            address=("127.0.0.1", int(sys.argv[1])),
            ignore_missing_slaves=True,
            allow_reuse_address=True,
        )
    )


if __name__ == "__main__":
    main()
