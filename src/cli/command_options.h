// Options of the commands whose library functions take plain arguments. (Those of create, run and
// exec are in src/container/options.h.)
#pragma once

#include <string>

#include "src/base/names.h"
#include "src/cli/limits.h"

namespace ocirt::cli {

struct NoOptions {};

// The answer of `list` and `ps`: for people or for programs.
enum class OutputFormat : uint8_t { table, json };

inline constexpr Name<OutputFormat> kOutputFormats[] = {{"json", OutputFormat::json},
                                                        {"table", OutputFormat::table}};
static_assert(sorted(kOutputFormats));

struct ListOptions {
  OutputFormat format = OutputFormat::table;
  bool quiet = false;
};

struct PsOptions {
  OutputFormat format = OutputFormat::table;
};

struct EventsOptions {
  int64_t interval_ms = 5000;
  bool stats = false;
};

struct KillOptions {
  bool all = false;
  bool regex = false;
};

struct DeleteOptions {
  bool force = false;
  bool regex = false;
};

struct UpdateOptions : Limits {
  std::string resources_file;                  // "-": standard input; empty: none
  std::string l3_cache_schema, mem_bw_schema;  // of resctrl; empty: none
};

struct SpecOptions {
  std::string bundle;
  std::string file;  // empty: config.json in the bundle
  bool rootless = false;
};

}  // namespace ocirt::cli
