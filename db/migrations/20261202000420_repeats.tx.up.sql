-- Every how many days, weeks or months a mailing goes out, which weekday of a month, and whether a holiday moves it: see domain.Days.
ALTER TABLE mailings ADD interval integer NOT NULL DEFAULT 1, ADD nth integer NOT NULL DEFAULT 0, ADD holiday_moves boolean NOT NULL DEFAULT false;
