// upload: one PUT request after the other on one connection, with large contents. Linux only.
//
//   upload -p PORT [-b BYTES] [-w WARM_SECONDS] [-d SECONDS] [-P SERVER_PID]
//
// The server answers with the count of the bytes, which is compared. The rate is in MiB per second. It ends after the
// first upload that is complete when SECONDS have passed.
#include "answers.h"
#include "stream.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

enum { FILE_BYTES = 1 << 20 };

static size_t bytes = 256u << 20;

static void write_all(stream *s, const char *from, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t n = stream_write(s, from + done, size - done);
    if (n == WAIT) fail("the server takes nothing");
    done += (size_t)n;
  }
}

// A file in memory: sent from there, the content is not copied on this side.
static int open_content(void) {
  const int file = memfd_create("content", 0);
  if (file < 0 || ftruncate(file, FILE_BYTES)) fail("cannot make a file: %s", strerror(errno));
  return file;
}

static void send_content(stream *s, int file) {
  for (size_t left = bytes; left > 0;) {
    off_t from = 0;
    const ssize_t n = sendfile(s->fd, file, &from, left < FILE_BYTES ? left : FILE_BYTES);
    if (n <= 0) fail("sendfile: %s", strerror(errno));
    left -= (size_t)n;
  }
}

static void upload(stream *s, int port, int file) {
  char head[256], count[32];
  write_all(s, head,
            (size_t)snprintf(head, sizeof head,
                             "PUT /upload HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/octet-stream\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             port, bytes));
  send_content(s, file);
  size_t end = (size_t)snprintf(count, sizeof count, "%zu", bytes);
  const cycle expected = {.bytes = (unsigned char *)count, .count = 1, .total = end, .ends = &end};
  unsigned char buffer[HEAD_BYTES];
  answers in = {0};
  for (size_t completed = 0; completed == 0;) {
    const ssize_t n = stream_read(s, buffer, sizeof buffer);
    if (n <= 0) fail("no answer to an upload");
    completed = check_http(&in, &expected, buffer, (size_t)n);
  }
}

int main(int argc, char **argv) {
  int port = 0, pid = 0, option;
  double warm_seconds = 1, seconds = 5;
  while ((option = getopt(argc, argv, "p:b:w:d:P:")) > 0) {
    switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'b': bytes = strtoul(optarg, NULL, 10); break;
      case 'w': warm_seconds = atof(optarg); break;
      case 'd': seconds = atof(optarg); break;
      case 'P': pid = atoi(optarg); break;
      default: return 2;
    }
  }
  if (port <= 0 || bytes == 0) fail("bad arguments");
  alarm((unsigned)(warm_seconds + seconds) + 2 * GRACE_SECONDS);
  stream s = open_stream(port, 0);
  const int file = open_content();
  histogram times = {0};
  for (const double until = now() + warm_seconds; now() < until;) upload(&s, port, file);
  const moment from = moment_now(pid);
  size_t count = 0;
  for (double t; (t = now()) < from.at + seconds; count++) {
    upload(&s, port, file);
    histogram_add(&times, now() - t);
  }
  report((double)count * (double)bytes / (1 << 20), from, pid, &times);
  return 0;
}
