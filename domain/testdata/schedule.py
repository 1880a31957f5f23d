"""Prints schedule.golden by another algorithm than the Go code: Python's zoneinfo and PEP 495.

    python3 domain/testdata/schedule.py | diff - domain/testdata/schedule.golden
"""

import calendar
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = [  # six years of each
    ("Europe/Berlin", 2019), ("America/New_York", 2011), ("Australia/Lord_Howe", 2015),
    ("Asia/Kolkata", 2019), ("America/Sao_Paulo", 2014), ("Africa/Cairo", 2010),
    ("Africa/Cairo", 2019), ("Pacific/Apia", 2009), ("Europe/Moscow", 2010),
]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CLOCKS = [(0, 0), (0, 30), (1, 30), (2, 15), (2, 30)]


def walls(every, start, interval=1, nth=0, weekdays=()):
    for n in range(0, 10000 * interval, interval):
        if nth:
            years, month = divmod(start.month - 1 + n, 12)
            year, month = start.year + years, month + 1
            chosen = [d for d in range(1, calendar.monthrange(year, month)[1] + 1)
                      if DAYS[calendar.weekday(year, month, d)] in (weekdays or DAYS)]
            wall = start.replace(year=year, month=month, day=chosen[nth - 1 if nth > 0 else nth])
            if wall >= start:
                yield n // interval, wall
        elif every == "monthly":
            years, month = divmod(start.month - 1 + n, 12)
            year, month = start.year + years, month + 1
            day = min(start.day, calendar.monthrange(year, month)[1])
            yield n // interval, start.replace(year=year, month=month, day=day)
        else:
            yield n // interval, start + timedelta(days=n * (7 if every == "weekly" else 1))


def instant(wall, zone):
    """The UTC instant and whether the wall clock shows it twice."""
    before, after = (wall.replace(tzinfo=zone, fold=f) for f in (0, 1))
    first, second = before.astimezone(timezone.utc), after.astimezone(timezone.utc)
    if first <= second:
        return first, first < second
    low, high = second, first  # a gap: the offset changes between the two
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0), False


def offset(at, zone):
    minutes = int(at.astimezone(zone).utcoffset().total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def show(numbers, first, last, note):
    number = str(numbers[0]) if numbers[0] == numbers[1] else f"{numbers[0]}-{numbers[1]}"
    moments = f"{first:%Y-%m-%dT%H:%MZ}" + (f" {last:%Y-%m-%dT%H:%MZ}" if last != first else "")
    print(f"  {number:<10}{moments:<36}{note}")


def table(name, every, start, *repeat):
    zone = ZoneInfo(name)
    rule = f" interval {repeat[0]} nth {repeat[1]} [{' '.join(repeat[2])}]" if repeat else ""
    print(f"{name} {every} from {start:%Y-%m-%dT%H:%M}{rule}")
    group, previous = None, None
    for n, wall in walls(every, start, *repeat):
        at, twice = instant(wall, zone)
        if at.year >= start.year + 6:
            break
        if at == previous:
            continue
        previous = at
        local = at.astimezone(zone)
        note = offset(at, zone)
        if (local.hour, local.minute) != (start.hour, start.minute):
            note += f" skipped, at {local:%H:%M}"
        if twice:
            note += " twice"
        if every == "monthly" and local.day != start.day:
            note += f" day {local.day}"
        if group and group[0][1] == n - 1 and group[3] == note:
            group[0][1], group[2] = n, at
            continue
        if group:
            show(*group)
        group = [[n, n], at, at, note]
    show(*group)


for name, year in ZONES:
    for hour, minute in CLOCKS:
        table(name, "daily", datetime(year, 1, 1, hour, minute))
    for hour, minute in CLOCKS:
        first = datetime(year, 1, 1, hour, minute)
        table(name, "weekly", first + timedelta(days=6 - first.weekday()))
    for day, (hour, minute) in [(29, (0, 0)), (30, (0, 30)), (31, (1, 30)), (31, (2, 30))]:
        table(name, "monthly", datetime(year, 1, day, hour, minute))
    for every, interval, nth, weekdays in [("daily", 3, 0, ()), ("weekly", 2, 0, ()), ("monthly", 3, 0, ()),
                                           ("monthly", 1, 1, DAYS[:1]), ("monthly", 2, -1, DAYS[4:5]), ("monthly", 1, -1, DAYS[:5])]:
        table(name, every, datetime(year, 1, 31, 2, 30), interval, nth, weekdays)
