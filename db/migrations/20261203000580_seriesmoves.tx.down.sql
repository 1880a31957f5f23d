DROP TABLE series_moves;
