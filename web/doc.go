// Package web is everything that speaks HTTP: what vendors call, the JSON API
// that other tools rely on, and the pages for people. It decides nothing about
// stages or deliveries; it reads the store and calls jobs.
package web
