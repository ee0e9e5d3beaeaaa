#include "src/podfile/fixed_volumes.h"

#include <algorithm>
#include <map>

#include "src/base/text.h"
#include "src/podfile/check.h"
#include "src/podfile/environment.h"

namespace ocirt::podfile {
namespace {

// As the kubelet writes a text: between quotation marks, as a literal of Go.
std::string literal(std::string_view text) {
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\"\\";
  constexpr std::string_view kAs = "abfnrtv\"\\";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const size_t at = kEscaped.find(c); at != std::string_view::npos) {
      out += {'\\', kAs[at]};
    } else if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// NAME="VALUE", a line each, by their names, without a newline at the end.
std::string lines_of(const oci::Map<std::string>& values) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : values) lines.push_back(cat(name, "=", literal(value)));
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) text += cat(text.empty() ? "" : "\n", line);
  return text;
}

class Collector {
 public:
  Collector(const File& file, uint32_t mode, std::string_view uid)
      : file_(file), mode_(mode), uid_(uid) {}

  void add(const manifest::Projection& source) {
    if (source.config_map) add_data(file_.config_map(source.config_map->name), *source.config_map);
    if (source.secret) add_data(file_.secret(source.secret->name), *source.secret);
    if (source.downward) add_fields(*source.downward);
  }
  std::vector<VolumeFile> take() { return std::move(files_); }

 private:
  void put(std::string_view path, const std::optional<uint32_t>& mode, std::string content) {
    VolumeFile made{.path = clean_path(path).substr(1),
                    .mode = mode.value_or(mode_),
                    .content = std::move(content)};
    const auto [place, is_new] = places_.try_emplace(made.path, files_.size());
    if (is_new) {
      files_.push_back(std::move(made));
    } else {
      files_[place->second] = std::move(made);
    }
  }
  template <class Document>
  void add_data(const Document* document, const manifest::KeyProjection& source) {
    if (document == nullptr) return;  // optional
    if (source.items.empty()) {
      for (const auto& [key, value] : document->data) put(key, {}, value);
    }
    for (const manifest::KeyToPath& item : source.items) {
      const std::string* value = document->data.find(item.key);
      if (value != nullptr) put(item.path, item.mode, *value);  // else optional
    }
  }
  void add_fields(const manifest::DownwardProjection& source) {
    for (const manifest::DownwardFile& item : source.items) {
      std::string value;
      if (item.field_ref)
        value = volume_field(file_.pod, item.field_ref->field_path, uid_).value_or("");
      if (item.resource_field_ref) {
        value = resource_value(file_.pod.spec, container_at(file_.pod.spec, 0),
                               *item.resource_field_ref)
                    .value_or("");
      }
      put(item.path, item.mode, std::move(value));
    }
  }

  const File& file_;
  uint32_t mode_;
  std::string_view uid_;
  std::vector<VolumeFile> files_;
  std::map<std::string, size_t> places_;  // in files_, by path
};

uint32_t mode_of(const manifest::Volume& volume) {
  if (volume.config_map) return volume.config_map->default_mode;
  if (volume.secret) return volume.secret->default_mode;
  if (volume.downward) return volume.downward->default_mode;
  return volume.projected->default_mode;
}

}  // namespace

bool is_fixed(const manifest::Volume& volume) {
  return volume.config_map || volume.secret || volume.downward || volume.projected;
}

std::vector<Source> sources_of(const manifest::Volume& volume) {
  std::vector<Source> sources;
  const auto add = [&](std::string place) -> Source& {
    return sources.emplace_back(Source{.projection = {}, .place = std::move(place)});
  };
  if (volume.config_map) {
    const manifest::ConfigMapVolume& of = *volume.config_map;
    add("configMap").projection.config_map = {
        .name = of.name, .items = of.items, .optional = of.optional};
  } else if (volume.secret) {
    const manifest::SecretVolume& of = *volume.secret;
    Source& source = add("secret");
    source.projection.secret = {.name = of.secret_name, .items = of.items, .optional = of.optional};
    source.name = "secretName";
  } else if (volume.downward) {
    add("downwardAPI").projection.downward = {.items = volume.downward->items};
  } else if (volume.projected) {
    for (const manifest::Projection& of : volume.projected->sources) {
      std::string place = cat("projected.sources[", sources.size(), "]");
      if (of.config_map) place += ".configMap";
      if (of.secret) place += ".secret";
      if (of.downward) place += ".downwardAPI";
      add(std::move(place)).projection = of;
    }
  }
  return sources;
}

std::vector<VolumeFile> files_of(const File& file, const manifest::Volume& volume,
                                 std::string_view uid) {
  Collector collector(file, mode_of(volume), uid);
  for (const Source& source : sources_of(volume)) collector.add(source.projection);
  return collector.take();
}

std::optional<std::string> volume_field(const manifest::Pod& pod, std::string_view path,
                                        std::string_view uid) {
  if (path == "metadata.labels") return lines_of(pod.metadata.labels);
  if (path == "metadata.annotations") return lines_of(pod.metadata.annotations);
  if (!path.starts_with("metadata.")) return std::nullopt;
  return field_value(pod, path, {.uid = uid, .node = {}});
}

}  // namespace ocirt::podfile
