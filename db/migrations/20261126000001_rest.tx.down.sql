ALTER TABLE runs DROP rest;
