DROP TRIGGER clients_come ON clients;
DROP TRIGGER clients_gone ON clients;
DROP TRIGGER clients_moved ON clients;
DROP FUNCTION count_clients;
DROP TABLE client_sets;
