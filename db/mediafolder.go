package db

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"skychimp/domain"
)

// folder keeps files on this machine; no name leads out of it.
type folder struct{ *os.Root }

func openFolder(path string) (folder, error) {
	err := os.MkdirAll(path, 0o777)
	if err != nil {
		return folder{}, fmt.Errorf("DATA_DIR: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return folder{}, fmt.Errorf("DATA_DIR: %w", err)
	}
	return folder{root}, nil
}

func (f folder) Save(_ context.Context, name, _ string, content []byte) error {
	// The name of a file that is half written belongs to no picture.
	part := rand.Text() + ".part"
	err := f.WriteFile(part, content, 0o666)
	if err == nil {
		err = f.Rename(part, name)
	}
	if err != nil {
		return errors.Join(err, f.Remove(part))
	}
	return nil
}

func (f folder) Has(_ context.Context, name string) (bool, error) {
	_, err := f.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (f folder) Open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	missing := domain.Errorf(domain.NotFound, "", "errors.not_found")
	if !fs.ValidPath(name) {
		return nil, 0, missing
	}
	file, err := f.Root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, missing
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		_ = file.Close()
		if err == nil {
			err = missing
		}
		return nil, 0, err
	}
	return file, info.Size(), nil
}

func (f folder) list(context.Context) iter.Seq2[storedFile, error] {
	return func(yield func(storedFile, error) bool) {
		entries, err := fs.ReadDir(f.FS(), ".")
		if err != nil {
			yield(storedFile{}, err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // another process has removed it
			}
			if err != nil {
				yield(storedFile{}, err)
				return
			}
			if !yield(storedFile{entry.Name(), info.ModTime()}, nil) {
				return
			}
		}
	}
}

func (f folder) remove(_ context.Context, name string) error {
	if err := f.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
