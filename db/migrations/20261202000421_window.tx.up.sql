-- When in the day emails may leave, see domain.Window. A run has the window of its day as instants, so that whoever fetches asks no
-- calendar; afterwards it gets that of the next day.
ALTER TABLE mailings ADD window_from text NOT NULL DEFAULT '', ADD window_to text NOT NULL DEFAULT '', ADD window_expires boolean NOT NULL DEFAULT false;
ALTER TABLE runs ADD opens_at timestamptz, ADD closes_at timestamptz;
