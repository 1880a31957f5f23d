CREATE UNIQUE INDEX deliveries_email ON deliveries (run_id, lower(email));
