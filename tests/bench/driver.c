// Times command lines in turns. One round runs every contestant once, so that whatever else the
// machine does meets all of them alike; each second round goes backwards, so that nobody always
// follows the same one. A pause comes before each turn: what the kernel still cleans up after a
// container (network namespaces, grace periods) is not charged to the next contestant. What the
// driver adds (vfork, exec, wait4 of a small static program) is the same for all.
//
//   driver PLAN ROUNDS WARMUPS SECONDS
//
// A line of PLAN is one step: SCENARIO, CONTESTANT, STEP, PROGRAM, ARGUMENT..., with tabs between.
// Lines that follow each other with the same scenario and contestant are one turn. A step named
// "ended" has no program: it waits until nothing that the turn started is alive. The driver is a
// subreaper, as engines are, so a container's first process becomes its child when the runtime
// ends. Output, for each step: SCENARIO, CONTESTANT, STEP, peak KiB, then a duration in nanoseconds
// for every round; or SCENARIO, CONTESTANT, STEP, "failed", the wait status, after which the
// contestant leaves the scenario.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMaxSteps = 128, kMaxWords = 32, kPauseMicroseconds = 20000 };

struct Step {
  char *scenario, *contestant, *name;
  char* argv[kMaxWords];
  long* samples;
  int count;
  long peak_kib;
  int failed_status;
};

static struct Step steps[kMaxSteps];
static int step_count;
static volatile pid_t running;

static void give_up(const char* what) {
  perror(what);
  exit(2);
}

// A step that never ends must not keep the others from being measured.
static void on_alarm(int signal_number) {
  (void)signal_number;
  if (running > 0) kill(running, SIGKILL);
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void read_plan(const char* path, int rounds) {
  FILE* file = fopen(path, "re");
  if (!file) give_up(path);
  char* line = NULL;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, file)) > 0; line = NULL, size = 0) {
    if (line[length - 1] == '\n') line[length - 1] = 0;
    if (step_count == kMaxSteps) exit(2);
    struct Step* step = &steps[step_count++];
    char* rest = line;
    step->scenario = strsep(&rest, "\t");
    step->contestant = strsep(&rest, "\t");
    step->name = strsep(&rest, "\t");
    for (int i = 0; rest && i < kMaxWords - 1; i++) step->argv[i] = strsep(&rest, "\t");
    step->samples = calloc((size_t)rounds + 1, sizeof(long));
    if (!step->name || !step->samples) exit(2);
  }
  fclose(file);
}

static void wait_until_ended(void) {
  while (wait4(-1, NULL, 0, NULL) > 0 || errno == EINTR) {
  }
}

// Returns the wait status of the step and how long it took.
static int run_step(struct Step* step, unsigned seconds, long* took) {
  int status = 0;
  struct rusage usage = {0};
  alarm(seconds);
  long before = now();
  if (!step->argv[0]) {
    wait_until_ended();
  } else {
    running = vfork();
    if (running == 0) {
      execv(step->argv[0], step->argv);
      _exit(127);
    }
    while (wait4(running, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    running = 0;
  }
  *took = now() - before;
  alarm(0);
  if (usage.ru_maxrss > step->peak_kib) step->peak_kib = usage.ru_maxrss;
  return status;
}

static int same_turn(const struct Step* a, const struct Step* b) {
  return strcmp(a->scenario, b->scenario) == 0 && strcmp(a->contestant, b->contestant) == 0;
}

static void run_turn(int first, int end, unsigned seconds, int recorded) {
  for (int i = first; i < end; i++)
    if (steps[i].failed_status) return;
  usleep(kPauseMicroseconds);
  for (int i = first; i < end; i++) {
    long took;
    int status = run_step(&steps[i], seconds, &took);
    if (status != 0) {
      steps[i].failed_status = status;
      return;  // what it left behind is for the caller of the driver to remove
    }
    if (recorded) steps[i].samples[steps[i].count++] = took;
  }
  wait_until_ended();
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  int rounds = atoi(argv[2]), warmups = atoi(argv[3]);
  unsigned seconds = (unsigned)atoi(argv[4]);
  read_plan(argv[1], rounds);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) give_up("PR_SET_CHILD_SUBREAPER");
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  // The containers write nothing; what a runtime says goes where our own messages go.
  setpriority(PRIO_PROCESS, 0, -20);  // other work disturbs less; not allowed is no reason to stop
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  FILE* report = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 3), "w");
  if (null < 0 || !report || dup2(null, 0) < 0 || dup2(null, 1) < 0) give_up("standard streams");

  int starts[kMaxSteps + 1], turns = 0;
  for (int i = 0; i < step_count; i++)
    if (i == 0 || !same_turn(&steps[i - 1], &steps[i])) starts[turns++] = i;
  starts[turns] = step_count;
  for (int round = -warmups; round < rounds; round++) {
    for (int i = 0; i < turns; i++) {
      int turn = round & 1 ? turns - 1 - i : i;
      run_turn(starts[turn], starts[turn + 1], seconds, round >= 0);
    }
  }

  for (int i = 0; i < step_count; i++) {
    struct Step* step = &steps[i];
    fprintf(report, "%s\t%s\t%s\t", step->scenario, step->contestant, step->name);
    if (step->failed_status) {
      fprintf(report, "failed\t%d\n", step->failed_status);
      continue;
    }
    fprintf(report, "%ld", step->peak_kib);
    for (int j = 0; j < step->count; j++) fprintf(report, "\t%ld", step->samples[j]);
    fputc('\n', report);
  }
  return fclose(report) == 0 ? 0 : 2;
}
