// A cycle: what a peer sends again and again, such as 200 requests, from a file that the harness writes: the count and
// the length of each item as 32 bits little-endian, then their bytes.
#pragma once
#include "common.h"

typedef struct {
  unsigned char *bytes;
  size_t count;
  size_t total;  // bytes of all items
  size_t *ends;  // where each item ends
} cycle;

// A place in a cycle, as an item and as an offset in its bytes.
typedef struct {
  size_t item;
  size_t at;
} place;

static inline cycle read_cycle(const char *path) {
  cycle c = {0};
  uint32_t count = 0;
  FILE *file = path == NULL ? NULL : fopen(path, "r");
  if (file == NULL || fread(&count, sizeof count, 1, file) != 1 || count == 0) fail("cannot read a cycle");
  c.count = count;
  c.ends = calloc(count, sizeof *c.ends);
  for (size_t i = 0; i < count; i++) {
    uint32_t length = 0;
    if (c.ends == NULL || fread(&length, sizeof length, 1, file) != 1) fail("cannot read the lengths of a cycle");
    c.ends[i] = c.total += length;
  }
  c.bytes = malloc(c.total + 1);
  if (c.bytes == NULL || fread(c.bytes, 1, c.total, file) != c.total) fail("cannot read the bytes of a cycle");
  fclose(file);
  return c;
}

static inline size_t item_length(const cycle *c, size_t item) {
  return c->ends[item] - (item == 0 ? 0 : c->ends[item - 1]);
}

// Goes on by some bytes, at the most to the end of the cycle. Returns how many items were completed.
static inline size_t advance(const cycle *c, place *p, size_t bytes) {
  size_t completed = 0;
  p->at += bytes;
  while (p->item < c->count && p->at >= c->ends[p->item]) {
    p->item++;
    completed++;
  }
  if (p->item == c->count) *p = (place){0, 0};
  return completed;
}

// How many of some bytes lie before the cycle's end.
static inline size_t part_of(const cycle *c, const place *p, size_t bytes) {
  return bytes < c->total - p->at ? bytes : c->total - p->at;
}
