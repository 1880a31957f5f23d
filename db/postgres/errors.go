package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"skychimp/domain"
)

// TranslateError turns what the driver says into refusals that a visitor may read; what it does not
// know stays as it is.
func TranslateError(err error) error {
	if err == nil || domain.KindOf(err) != 0 {
		return err
	}
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, sql.ErrNoRows): // pgx.ErrNoRows is one, but not the other way round
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	case errors.As(err, &server):
		// Classes 57P (shutdown, crash, cannot connect now), 08 (connection) and 53 (out of
		// disk, memory or connections): https://www.postgresql.org/docs/15/errcodes-appendix.html
		if class := server.Code[:2]; server.Code[:3] == "57P" || class == "08" || class == "53" {
			return unavailable(err)
		}
	case errors.As(err, &connect), errors.As(err, &network) && !errors.Is(err, context.Canceled):
		return unavailable(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, driver.ErrBadConn), pgconn.SafeToRetry(err):
		return unavailable(err) // a connection of the pool that had died
	}
	return err
}

// unavailable keeps the cause for the log beside the refusal for the visitor.
func unavailable(err error) error {
	return fmt.Errorf("the database is away (%w): %w", domain.Errorf(domain.Unavailable, "", "errors.unavailable"), err)
}

// IsUniqueViolation tells whether err is the violation of the named unique index.
func IsUniqueViolation(err error, index string) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "23505" && server.ConstraintName == index
}
