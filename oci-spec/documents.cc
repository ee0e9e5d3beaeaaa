// The documents by name: which table reads each, and what is checked besides.
#include "oci-spec/documents.h"

#include <charconv>

#include "oci-spec/json/reader.h"
#include "oci-spec/json/text.h"
#include "oci-spec/json/writer.h"
#include "oci-spec/schema/schema.h"

namespace oci {
namespace {

template <class Document>
Result<Document> read(std::string_view json, std::string_view document) {
  Document value;
  if (auto error = json::read(json, document, schema::Object<Document>::type, &value)) {
    return std::unexpected(*std::move(error));
  }
  return value;
}

template <class Document>
std::optional<Error> broken_rule(std::string_view json, std::string_view document,
                                 const Document& value) {
  std::optional<Error> error = validate(value);
  if (error) {
    error->document = document;
    json::locate(json, *error);
  }
  return error;
}

template <class Document>
Result<Document> read_valid(std::string_view json, std::string_view document) {
  Result<Document> value = read<Document>(json, document);
  if (!value) return value;
  if (auto error = broken_rule(json, document, *value)) return std::unexpected(*std::move(error));
  return value;
}

template <class Document>
std::string write_document(const Document& value, bool pretty, const Map<std::string>& more = {}) {
  return json::write(schema::Object<Document>::type, &value, pretty, more);
}

void append_number(std::string& out, unsigned value) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  if (error == std::errc{}) out.append(digits, end);
}

}  // namespace

std::string Error::message() const {
  std::string out = document;
  if (line != 0) {
    if (!out.empty()) out += ':';
    append_number(out, line);
    out += ':';
    append_number(out, column);
  }
  if (!out.empty()) out += ": ";
  if (!property.empty()) {
    out += property;
    out += ": ";
  }
  out += text;
  return out;
}

Result<Spec> read_config(std::string_view json, std::string_view document) {
  return read_valid<Spec>(json, document);
}
Result<Process> read_process(std::string_view json, std::string_view document) {
  return read_valid<Process>(json, document);
}
Result<Resources> read_resources(std::string_view json, std::string_view document) {
  return read_valid<Resources>(json, document);
}
Result<std::vector<Mount>> read_mounts(std::string_view json, std::string_view document) {
  std::vector<Mount> mounts;
  auto error = json::read(json, document, schema::kMountList, &mounts);
  if (!error) error = broken_rule(json, document, mounts);
  if (error) return std::unexpected(*std::move(error));
  return mounts;
}
Result<State> read_state(std::string_view json, std::string_view document) {
  return read<State>(json, document);
}
Result<ContainerProcessState> read_container_process_state(std::string_view json,
                                                           std::string_view document) {
  return read<ContainerProcessState>(json, document);
}
Result<Features> read_features(std::string_view json, std::string_view document) {
  return read<Features>(json, document);
}

std::string write(const Spec& spec, bool pretty) { return write_document(spec, pretty); }
std::string write(const Process& process, bool pretty) { return write_document(process, pretty); }
std::string write(const Resources& resources, bool pretty) {
  return write_document(resources, pretty);
}
std::string write(const State& state, bool pretty, const Map<std::string>& more) {
  return write_document(state, pretty, more);
}
std::string write(const ContainerProcessState& state, bool pretty) {
  return write_document(state, pretty);
}
std::string write(const Features& features, bool pretty) {
  return write_document(features, pretty);
}

}  // namespace oci
