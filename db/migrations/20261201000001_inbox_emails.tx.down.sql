ALTER SEQUENCE inbox_emails_id_seq RENAME TO inbox_letters_id_seq;
ALTER INDEX inbox_emails_pkey RENAME TO inbox_letters_pkey;
ALTER TABLE inbox_emails RENAME TO inbox_letters;
