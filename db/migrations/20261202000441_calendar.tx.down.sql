DROP INDEX runs_owner_time;
