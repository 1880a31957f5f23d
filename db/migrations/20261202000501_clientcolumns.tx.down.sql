DROP TABLE client_lists;
