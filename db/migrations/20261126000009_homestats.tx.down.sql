DROP TABLE home_stats;
