// Checks a Varco ledger with the packages of Go's own checksum database (golang.org/x/mod/sumdb): its checkpoint, its
// tiles, and proofs that the gateway's code made.
//
//	main TILES CHECKPOINT KEY LEAVES PROOFS
//
// LEAVES: each leaf with its length before it, four bytes, big-endian. PROOFS: a line for each proof, its hashes in base64
// with a comma between them: "leaf INDEX SIZE HASHES" or "tree OLD NEW HASHES". Roots at every size come from the tiles.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tiles reads the files that stand beside the segments. TileHashReader checks each against the signed tree.
type tiles string

func (directory tiles) Height() int           { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (directory tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		number := fmt.Sprintf("%03d", tile.N%1000)
		for rest := tile.N / 1000; rest > 0; rest /= 1000 {
			number = fmt.Sprintf("x%03d/%s", rest%1000, number)
		}
		bytes, err := os.ReadFile(filepath.Join(string(directory), strconv.Itoa(tile.L), number))
		if err != nil {
			return nil, err
		}
		if len(bytes) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %v has %d bytes", tile, len(bytes))
		}
		all = append(all, bytes[:tile.W*tlog.HashSize])
	}
	return all, nil
}

func hashes(text string) []tlog.Hash {
	var all []tlog.Hash
	for _, part := range strings.Split(text, ",") {
		if part == "" {
			continue
		}
		bytes, err := base64.StdEncoding.DecodeString(part)
		must(err)
		var hash tlog.Hash
		if copy(hash[:], bytes) != tlog.HashSize || len(bytes) != tlog.HashSize {
			must(fmt.Errorf("a hash of %d bytes", len(bytes)))
		}
		all = append(all, hash)
	}
	return all
}

func main() {
	signed, err := os.ReadFile(os.Args[2])
	must(err)
	verifier, err := note.NewVerifier(os.Args[3])
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		must(fmt.Errorf("a checkpoint of %q with %d lines", lines[0], len(lines)))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles(os.Args[1]))

	// Every leaf, against the tiles that lead to the signed root.
	file, err := os.Open(os.Args[4])
	must(err)
	buffered := bufio.NewReader(file)
	var leaves []tlog.Hash
	for {
		var length uint32
		if err := binary.Read(buffered, binary.BigEndian, &length); err == io.EOF {
			break
		} else {
			must(err)
		}
		leaf := make([]byte, length)
		_, err := io.ReadFull(buffered, leaf)
		must(err)
		leaves = append(leaves, tlog.RecordHash(leaf))
	}
	if int64(len(leaves)) != size {
		must(fmt.Errorf("%d leaves, and a checkpoint of %d", len(leaves), size))
	}
	for index, leaf := range leaves {
		found, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))})
		must(err)
		if found[0] != leaf {
			must(fmt.Errorf("leaf %d is not the one of its tile", index))
		}
	}

	roots := map[int64]tlog.Hash{}
	rootAt := func(size int64) tlog.Hash {
		if known, ok := roots[size]; ok {
			return known
		}
		found, err := tlog.TreeHash(size, reader)
		must(err)
		roots[size] = found
		return found
	}
	file, err = os.Open(os.Args[5])
	must(err)
	scanner := bufio.NewScanner(file)
	counts := map[string]int{}
	for scanner.Scan() {
		words := strings.SplitN(scanner.Text(), " ", 4)
		first, err := strconv.ParseInt(words[1], 10, 64)
		must(err)
		second, err := strconv.ParseInt(words[2], 10, 64)
		must(err)
		proof := hashes(words[3])
		switch words[0] {
		case "leaf":
			must(tlog.CheckRecord(tlog.RecordProof(proof), second, rootAt(second), first, leaves[first]))
		case "tree":
			must(tlog.CheckTree(tlog.TreeProof(proof), second, rootAt(second), first, rootAt(first)))
		default:
			must(fmt.Errorf("%q is no proof", words[0]))
		}
		counts[words[0]]++
	}
	must(scanner.Err())
	fmt.Printf("%d leaves, %d proofs of leaves, %d proofs of trees\n", size, counts["leaf"], counts["tree"])
}
