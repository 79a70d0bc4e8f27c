#!/usr/bin/python3
"""What Python's zoneinfo says of random instants in all zones of the system, for test_zone.c. Lines of
    at NAME seconds offset abbreviation
    to NAME local-seconds seconds          the instant of a local time; of two the first, in a gap the later clock's
"""

import calendar
import datetime
import random
import sys
import zoneinfo

SPAN = -(2**31), 2**33  # 1901 to 2242, so that the footer's rule counts, too
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def changes(zone, draw):
    """An instant near one at which the offset changes, found by halving a random span."""
    low = draw.randrange(0, SPAN[1])
    high = low + 200 * 86400
    offset = lambda s: (EPOCH + datetime.timedelta(seconds=s)).astimezone(zone).utcoffset()  # noqa: E731
    if offset(low) == offset(high):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
    return high + draw.choice((-7201, -3601, -3600, -1801, -1, 0, 1, 1799, 3599, 3600, 7199))


def main():
    count, draw = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    for name in sorted(zoneinfo.available_timezones()):
        zone = zoneinfo.ZoneInfo(name)
        for i in range(count):
            seconds = draw.randrange(*SPAN) if i % 2 else changes(zone, draw)
            local = (EPOCH + datetime.timedelta(seconds=seconds)).astimezone(zone)
            print("at", name, seconds, int(local.utcoffset().total_seconds()), local.tzname())
            wall = (EPOCH + datetime.timedelta(seconds=seconds)).replace(tzinfo=zone)
            print("to", name, calendar.timegm(wall.timetuple()), int((wall - EPOCH).total_seconds()))


main()
