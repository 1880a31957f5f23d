ALTER TABLE runs DROP brand;
DROP TABLE brands;
