// Comparing what arrives with what is expected.
#pragma once
#include "cycle.h"
#include <strings.h>

enum { HEAD_BYTES = 4096 };

// What a connection has read so far.
typedef struct {
  place at;          // in the answers that are expected
  int in_content;    // HTTP: the head of this answer is complete
  size_t head_size;  // HTTP: bytes of a head that is not
  char head[HEAD_BYTES];
} answers;

static inline size_t check_bytes(answers *in, const cycle *expected, const unsigned char *bytes, size_t part) {
  if (memcmp(bytes, expected->bytes + in->at.at, part)) fail("wrong bytes in answer %zu", in->at.item);
  return advance(expected, &in->at, part);
}

// Frames have no field that changes: all bytes are expected ones.
static inline size_t check_frames(answers *in, const cycle *expected, const unsigned char *bytes, size_t size) {
  size_t completed = 0;
  for (size_t done = 0; done < size;) {
    const size_t part = part_of(expected, &in->at, size - done);
    completed += check_bytes(in, expected, bytes + done, part);
    done += part;
  }
  return completed;
}

static inline void check_head(const char *head, size_t size, size_t length) {
  static const char name[] = "\ncontent-length:";
  if (size < 12 || memcmp(head, "HTTP/1.1 200", 12)) {
    fail("expected 200, got %.*s", (int)(size < 40 ? size : 40), head);
  }
  for (const char *at = head; (at = memchr(at, '\n', size - (size_t)(at - head))) != NULL; at++) {
    if (size - (size_t)(at - head) < sizeof name || strncasecmp(at, name, sizeof name - 1)) continue;
    if (strtoul(at + sizeof name - 1, NULL, 10) != length) fail("wrong Content-Length, %zu was expected", length);
    return;
  }
  fail("an answer without Content-Length");
}

// Takes as much of a head as there is. Returns how many bytes that is.
static inline size_t take_head(answers *in, size_t length, const char *bytes, size_t size) {
  const char *end = in->head_size > 0 ? NULL : memmem(bytes, size, "\r\n\r\n", 4);
  if (end != NULL) {
    check_head(bytes, (size_t)(end - bytes) + 4, length);
    in->in_content = 1;
    return (size_t)(end - bytes) + 4;
  }
  const size_t before = in->head_size;
  const size_t part = size < HEAD_BYTES - before ? size : HEAD_BYTES - before;
  memcpy(in->head + before, bytes, part);
  end = memmem(in->head, before + part, "\r\n\r\n", 4);
  in->head_size = before + part;
  if (end == NULL && in->head_size == HEAD_BYTES) fail("the head of an answer is too large");
  if (end == NULL) return part;
  const size_t head_size = (size_t)(end - in->head) + 4;
  check_head(in->head, head_size, length);
  in->head_size = 0;
  in->in_content = 1;
  return head_size - before;
}

static inline size_t check_http(answers *in, const cycle *expected, const unsigned char *bytes, size_t size) {
  size_t completed = 0;
  for (size_t done = 0; done < size;) {
    if (!in->in_content) {
      done += take_head(in, item_length(expected, in->at.item), (const char *)bytes + done, size - done);
      continue;
    }
    const size_t left = expected->ends[in->at.item] - in->at.at;
    const size_t part = left < size - done ? left : size - done;
    const size_t ended = check_bytes(in, expected, bytes + done, part);
    if (ended > 0) in->in_content = 0;
    completed += ended;
    done += part;
  }
  return completed;
}
