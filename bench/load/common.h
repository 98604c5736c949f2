// What all loads share: failing, the clock, the server's processor time and a histogram of times.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HANDSHAKE_SECONDS = 5, GRACE_SECONDS = 10, SUB_BUCKETS = 32, BUCKETS = 40 * SUB_BUCKETS };

static inline void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Processor time that a process has used, in seconds; 0 where none is given.
static inline double cpu_seconds(int pid) {
  char path[32], text[1024];
  if (pid <= 0) return 0;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("the server has gone");
  const size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  unsigned long user = 0, system = 0;
  const char *after_name = strrchr(text, ')');
  if (after_name == NULL ||
      sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
    fail("cannot read %s", path);
  }
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

// Times in nanoseconds, in buckets that are 3 % wide.
typedef struct {
  uint64_t counts[BUCKETS];
  uint64_t total;
} histogram;

static inline void histogram_add(histogram *h, double seconds) {
  const uint64_t ns = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;
  const int shift = ns < 2 * SUB_BUCKETS ? 0 : 58 - __builtin_clzll(ns);
  const size_t bucket = (size_t)shift * SUB_BUCKETS + (size_t)(ns >> shift);
  h->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  h->total++;
}

// The time in microseconds that a share of all stay below.
static inline double histogram_at(const histogram *h, double share) {
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
    seen += h->counts[bucket];
    if (seen == 0 || (double)seen < share * (double)h->total) continue;
    if (bucket < 2 * SUB_BUCKETS) return (double)bucket / 1e3;
    const size_t shift = bucket / SUB_BUCKETS - 1;
    return (double)((bucket - shift * SUB_BUCKETS) << shift) / 1e3;
  }
  return 0;
}

// A moment: the time, and the processor time that the server and this process have used.
typedef struct {
  double at, server, load;
} moment;

static inline moment moment_now(int server_pid) {
  return (moment){now(), cpu_seconds(server_pid), (double)clock() / CLOCKS_PER_SEC};
}

// One line for the harness about what came back since a moment.
static inline void report(double count, moment from, int server_pid, const histogram *h) {
  const moment to = moment_now(server_pid);
  const double seconds = to.at - from.at;
  if (count == 0) fail("nothing came back within %.1f s", seconds);
  printf("count=%.0f seconds=%.4f rate=%.2f busy=%.4f load=%.4f p50=%.1f p90=%.1f p99=%.1f p999=%.1f max=%.1f\n",
         count, seconds, count / seconds, (to.server - from.server) / seconds, (to.load - from.load) / seconds,
         histogram_at(h, 0.50), histogram_at(h, 0.90), histogram_at(h, 0.99), histogram_at(h, 0.999),
         histogram_at(h, 1));
}
