DROP INDEX runs_latest;
