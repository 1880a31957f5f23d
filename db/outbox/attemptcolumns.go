package outbox

import (
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// attemptColumns are attempts turned for recordStatement: an array for each of its parameters,
// written by hand, because pgx took longer to encode ten slices than an email takes to compose.
type attemptColumns [10]attemptColumn

func (c *attemptColumns) clear() {
	for i, element := range []uint32{pgtype.Int8OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.TextOID, pgtype.Int2OID,
		pgtype.TimestamptzOID, pgtype.TextOID, pgtype.Int2OID, pgtype.TextOID, pgtype.TextOID} {
		c[i].clear(element)
	}
}

func (c *attemptColumns) add(r Result) {
	c[0].int8(r.RunID)
	c[1].int4(int32(r.Seq))
	c[2].int8(r.ClientID)
	c[3].text(r.Email)
	c[4].int2(int16(r.N))
	c[5].timestamptz(r.At)
	c[6].text(string(r.Status))
	c[7].int2(int16(r.Code))
	c[8].text(r.Answer)
	c[9].text(string(r.Class))
}

// parameters are valid until clear.
func (c *attemptColumns) parameters() (values [][]byte, formats []int16) {
	for i := range c {
		values = append(values, c[i].array())
	}
	return values, []int16{pgtype.BinaryFormatCode}
}

// attemptColumn is an array in the binary format of array_recv: the number of dimensions, whether
// there are NULLs, the type of the elements, their number, the first one's index; then each
// element after its length in bytes. All numbers are big-endian.
type attemptColumn struct {
	rows int
	data []byte
}

func (c *attemptColumn) clear(element uint32) {
	c.rows, c.data = 0, c.data[:0]
	for _, number := range []uint32{1, 0, element, 0, 1} {
		c.data = binary.BigEndian.AppendUint32(c.data, number)
	}
}

func (c *attemptColumn) array() []byte {
	binary.BigEndian.PutUint32(c.data[12:], uint32(c.rows))
	return c.data
}

func (c *attemptColumn) element(length int) {
	c.rows++
	c.data = binary.BigEndian.AppendUint32(c.data, uint32(length))
}

func (c *attemptColumn) int2(n int16) {
	c.element(2)
	c.data = binary.BigEndian.AppendUint16(c.data, uint16(n))
}

func (c *attemptColumn) int4(n int32) {
	c.element(4)
	c.data = binary.BigEndian.AppendUint32(c.data, uint32(n))
}

func (c *attemptColumn) int8(n int64) {
	c.element(8)
	c.data = binary.BigEndian.AppendUint64(c.data, uint64(n))
}

func (c *attemptColumn) text(s string) {
	c.element(len(s))
	c.data = append(c.data, s...)
}

// timestamptz counts microseconds from the year 2000.
func (c *attemptColumn) timestamptz(t time.Time) {
	c.int8(t.UnixMicro() - time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
}
