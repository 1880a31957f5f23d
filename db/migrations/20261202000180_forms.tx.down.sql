DROP TABLE consents;
DROP TABLE form_days;
DROP TABLE signups;
DROP TABLE form_agreements;
DROP TABLE forms;
