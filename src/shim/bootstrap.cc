#include "src/shim/bootstrap.h"

#include "oci-spec/json/reader.h"
#include "oci-spec/map.h"
#include "oci-spec/schema/schema.h"
#include "src/base/sha256.h"
#include "src/base/text.h"

namespace ocirt::shim {
namespace {

constexpr std::string_view kGroupAnnotations[] = {
    "io.containerd.runc.v2.group",
    "io.kubernetes.cri.sandbox-id",
    "io.kubernetes.cri-o.SandboxID",
};

struct Labelled {
  oci::Map<std::string> annotations;
};
constexpr oci::schema::Field kLabelled[] = {OCI_FIELD(Labelled, annotations, "annotations")};
constexpr oci::schema::Type kLabelledType = oci::schema::object(kLabelled);

wire::AnyValue copy_of(const wire::Any& any) {
  return {any.type_url, std::string(wire::view(any.value))};
}

}  // namespace

Result<Bootstrap> read_bootstrap(std::string_view input, std::string_view id,
                                 std::string_view name_space) {
  Bootstrap told;
  if (input.empty()) return told;
  Result<wire::Owned<wire::BootstrapParams>> params = wire::parse<wire::BootstrapParams>(input);
  if (params && (*params)->instance_id == id && (*params)->namespace_ == name_space) {
    told.has_params = true;
    told.ttrpc_address = (*params)->containerd_ttrpc_address;
    told.socket_directory = (*params)->socket_dir;
    told.debug = (*params)->log_level < BOOTSTRAP__LOG_LEVEL__LOG_LEVEL_INFO;
    for (size_t i = 0; i < (*params)->n_extensions; ++i) {
      const wire::Any* value = (*params)->extensions[i]->value;
      if (value != nullptr && value->type_url[0] != '\0') told.options = copy_of(*value);
    }
    return told;
  }
  const wire::Owned<wire::Any> any = TRY(within("standard input", wire::parse<wire::Any>(input)));
  if (any->type_url[0] != '\0') told.options = copy_of(*any);
  return told;
}

bool made_by_this_run(const DaemonTimes& times) {
  constexpr int64_t kRounding = 1, kLoading = 60;  // seconds; its socket is the last that it makes
  // Between the daemon's beginning and its socket the clock says what it has always said, unless it
  // was set after that: then only what was stamped by the same clock can be compared.
  const bool was_set = times.socket && (*times.socket < times.began - kRounding ||
                                        *times.socket > times.began + kLoading);
  return times.directory >= (was_set ? *times.socket - kLoading : times.began - kRounding);
}

Manner manner_of(const Signs& signs) {
  if (signs.has_params) return {Dialect::kProtobuf, 3};
  // CRI-O: those that understand JSON understand text too.
  if (!signs.has_address) return {Dialect::kText, 2};
  if (!signs.says_version) return {Dialect::kText, 2};
  return {Dialect::kJson, signs.has_sandboxes ? 3 : 2};
}

std::string bootstrap_answer(Dialect dialect, int version, std::string_view address) {
  switch (dialect) {
    case Dialect::kText:
      break;
    case Dialect::kJson:
      return cat(R"({"version":)", version, R"(,"address":")", address, R"(","protocol":"ttrpc"})");
    case Dialect::kProtobuf: {
      const std::string where(address);
      auto result = wire::blank<wire::BootstrapResult>();
      result.version = version;
      result.address = wire::lend(where);
      result.protocol = wire::lend("ttrpc");
      return wire::pack(result);
    }
  }
  return std::string(address);
}

std::string socket_path(std::string_view directory, std::string_view address,
                        std::string_view name_space, std::string_view group) {
  // As Go's filepath.Join has it: empty parts are left out, the rest is cleaned.
  std::string joined = clean_path(cat("/", address, "/", name_space, "/", group));
  if (!address.starts_with('/')) joined.erase(0, 1);
  return cat(directory.empty() ? "/run/containerd" : directory, "/s/", sha256_hex(joined));
}

std::string group_of(std::string_view config_json, std::string_view id) {
  Labelled labelled;
  if (oci::json::read(config_json, "config.json", kLabelledType, &labelled)) return std::string(id);
  return group_of(labelled.annotations, id);
}

std::string group_of(const oci::Map<std::string>& annotations, std::string_view id) {
  for (std::string_view name : kGroupAnnotations) {
    for (const auto& [key, value] : annotations) {
      if (key == name && !value.empty()) return value;
    }
  }
  return std::string(id);
}

}  // namespace ocirt::shim
