package store

type claims struct{ taken map[int64]bool }
