package pictures

import (
	"bytes"
	"encoding/binary"
)

// exifOrientation is how a camera was held, 1 (upright) to 8, from the EXIF block of a JPEG,
// PNG or WebP file; 1 when there is none or it makes no sense.
func exifOrientation(file []byte) int {
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8")):
		return tiffOrientation(jpegExif(file[2:]))
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		return tiffOrientation(chunk(file[8:], binary.BigEndian, 0, 4, "eXIf"))
	case len(file) > 12:
		return tiffOrientation(chunk(file[12:], binary.LittleEndian, 4, 0, "EXIF"))
	}
	return 1
}

// jpegExif walks the segments up to the picture itself: FF, marker, two bytes of length.
func jpegExif(rest []byte) []byte {
	for len(rest) > 4 && rest[0] == 0xff && rest[1] != 0xda {
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < 2 || len(rest) < 2+length {
			break
		}
		if data, found := bytes.CutPrefix(rest[4:2+length], []byte("Exif\x00\x00")); found && rest[1] == 0xe1 {
			return data
		}
		rest = rest[2+length:]
	}
	return nil
}

// chunk walks chunks whose head is a name at nameAt and the length of the data in the other
// four bytes, padded to even length in RIFF (little endian) and with a sum of four bytes in PNG.
func chunk(rest []byte, order binary.ByteOrder, lengthAt, nameAt int, name string) []byte {
	for len(rest) > 8 {
		length := int(order.Uint32(rest[lengthAt:]))
		if length < 0 || length > len(rest)-8 { // below 0 where int has 32 bits
			break
		}
		if string(rest[nameAt:nameAt+4]) == name {
			return bytes.TrimPrefix(rest[8:8+length], []byte("Exif\x00\x00"))
		}
		next := 8 + length + 4
		if order == binary.LittleEndian {
			next = 8 + length + length%2
		}
		rest = rest[min(next, len(rest)):]
	}
	return nil
}

// tiffOrientation reads tag 274, a short, from the first directory (TIFF 6.0, section 2).
func tiffOrientation(tiff []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	case !bytes.HasPrefix(tiff, []byte("II*\x00")):
		return 1
	}
	if len(tiff) < 8 {
		return 1
	}
	start := uint64(order.Uint32(tiff[4:]))
	if start+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[start+2:]
	for range order.Uint16(tiff[start:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 274 && order.Uint16(entries[2:]) == 3 {
			if value := int(order.Uint16(entries[8:])); value >= 1 && value <= 8 {
				return value
			}
		}
		entries = entries[12:]
	}
	return 1
}
