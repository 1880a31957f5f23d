DROP TABLE bulk_clients;
DROP TABLE bulk_acts;
