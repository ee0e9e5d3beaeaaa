#include "src/net/pod_record.h"

#include <cerrno>

#include "oci-spec/json/reader.h"
#include "oci-spec/json/writer.h"
#include "src/base/text.h"
#include "src/net/rows.h"
#include "src/sys/file.h"

namespace oci::schema {

namespace net = ocirt::net;

template <>
const Type Object<net::PodRecord>::type;

namespace {

constexpr Field kPodRecord[] = {
    OCI_FIELD(net::PodRecord, network, "network", kRequired),
    OCI_FIELD(net::PodRecord, complete, "complete"),
    OCI_FIELD(net::PodRecord, request, "request", kRequired),
    OCI_FIELD(net::PodRecord, cni_configuration, "cniConfiguration"),
    OCI_FIELD(net::PodRecord, cni_result, "cniResult"),
};

}  // namespace

template <>
constinit const Type Object<net::PodRecord>::type = object(kPodRecord);

}  // namespace oci::schema

namespace ocirt::net {
namespace {

constexpr const char *kName = "network.json", *kTemporary = "network.json.new";
constexpr size_t kMostRecord = size_t{8} << 20;

}  // namespace

Result<> save_record(const PodRecord& record) {
  const std::string& directory = record.request.directory;
  UniqueFd at = TRY(sys::open(sys::kCwd, directory, O_RDONLY | O_DIRECTORY));
  const std::string text = oci::json::write(oci::schema::Object<PodRecord>::type, &record, true);
  return within(directory, sys::write_file_atomically(at, kName, kTemporary, text, 0600));
}

Result<std::optional<PodRecord>> load_record(const std::string& directory) {
  const std::string path = cat(directory, "/", std::string_view(kName));
  Result<std::string> text = sys::read_file(sys::kCwd, path, kMostRecord);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(std::move(text).error());
  PodRecord record;
  if (std::optional<oci::Error> error =
          oci::json::read(*text, path, oci::schema::Object<PodRecord>::type, &record)) {
    return refuse(error->message());
  }
  return record;
}

Result<> remove_record(const std::string& directory) {
  for (const char* name : {kTemporary, kName}) {
    Result<> gone = sys::unlink(sys::kCwd, cat(directory, "/", std::string_view(name)));
    if (!gone && gone.error().code != ENOENT) return gone;
  }
  return {};
}

}  // namespace ocirt::net
