package web

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// piece is a stretch of a page; deflated is the same as blocks of DEFLATE (RFC 1951) that look back
// at nothing before them and end at a byte, so that such stretches may stand one after the other.
type piece struct {
	text, deflated []byte
	hole           Hole // in place of a text
}

// storedMost is what isn't worth compressing.
const storedMost = 200

func (p *piece) compress() {
	if len(p.text) <= storedMost {
		p.deflated = stored(nil, p.text)
		return
	}
	var out bytes.Buffer
	deflate, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err == nil {
		_, err = deflate.Write(p.text)
	}
	if err == nil {
		err = deflate.Flush()
	}
	if p.deflated = out.Bytes(); err != nil { // a buffer takes everything
		panic(err)
	}
}

// stored adds a block of at most 65,535 bytes that is not compressed.
func stored(to, text []byte) []byte {
	to = binary.LittleEndian.AppendUint16(append(to, 0), uint16(len(text)))
	return append(binary.LittleEndian.AppendUint16(to, ^uint16(len(text))), text...)
}

// Body is an answer that is put together of pieces: as gzip (RFC 1952) where the browser takes it.
type Body struct {
	to        *fasthttp.Response
	gzip      bool
	sum, size uint32
}

// newBody begins the answer to r. Without pieces that are compressed already, the middleware does it.
func newBody(r *Request, compressed bool) *Body {
	b := &Body{to: r.Response(), gzip: compressed && r.Ctx.Request().Header.HasAcceptEncoding("gzip")}
	if b.gzip {
		r.Set(fiber.HeaderContentEncoding, "gzip")
		b.to.AppendBody([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	}
	return b
}

func (b *Body) write(p piece) {
	if !b.gzip {
		b.to.AppendBody(p.text)
		return
	}
	b.sum = crc32.Update(b.sum, crc32.IEEETable, p.text)
	b.size += uint32(len(p.text))
	b.to.AppendBody(p.deflated)
}

// end writes the last, empty block, the sum and the length.
func (b *Body) end() {
	if b.gzip {
		end := binary.LittleEndian.AppendUint32([]byte{3, 0}, b.sum)
		b.to.AppendBody(binary.LittleEndian.AppendUint32(end, b.size))
	}
}
