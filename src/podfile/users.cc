#include "src/podfile/users.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

struct UserLine {
  std::string_view name;
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// The line of a user by name or number: name:password:uid:gid:...
std::optional<UserLine> find_user(std::string_view passwd, std::string_view name,
                                  std::optional<uint32_t> uid) {
  while (const auto line = next_line(passwd)) {
    const std::vector<std::string_view> parts = split(*line, ':');
    if (parts.size() < 4) continue;
    const auto its_uid = to_number<uint32_t>(parts[2]);
    const auto its_gid = to_number<uint32_t>(parts[3]);
    if (!its_uid || !its_gid) continue;
    if (uid ? *its_uid == *uid : parts[0] == name) return UserLine{parts[0], *its_uid, *its_gid};
  }
  return std::nullopt;
}

std::optional<uint32_t> find_group(std::string_view group, std::string_view name) {
  while (const auto line = next_line(group)) {
    const std::vector<std::string_view> parts = split(*line, ':');
    if (parts.size() >= 3 && parts[0] == name) return to_number<uint32_t>(parts[2]);
  }
  return std::nullopt;
}

std::vector<uint32_t> groups_of(std::string_view group, std::string_view user) {
  std::vector<uint32_t> groups;
  while (const auto line = next_line(group)) {
    const std::vector<std::string_view> parts = split(*line, ':');
    if (parts.size() < 4) continue;
    const auto gid = to_number<uint32_t>(parts[2]);
    for (std::string_view member : split(parts[3], ',')) {
      if (gid && !member.empty() && trim(member) == user) groups.push_back(*gid);
    }
  }
  return groups;
}

bool is_number(std::string_view name) {
  return name.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<Identity> checked(Identity identity) {
  TRY(within("the image's /etc/passwd and /etc/group", check_ids(identity)));
  return identity;
}

}  // namespace

Result<> check_ids(const Identity& identity) {
  const bool is_id = identity.uid != UINT32_MAX && identity.gid != UINT32_MAX &&
                     std::ranges::find(identity.groups, UINT32_MAX) == identity.groups.end();
  if (is_id) return {};
  return refuse(cat(UINT32_MAX, " is no id"));
}

Result<Identity> identity_of(std::string_view user, std::string_view passwd,
                             std::string_view group) {
  const size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  Identity identity;
  const auto number = name.empty() ? std::optional<uint32_t>(0) : to_number<uint32_t>(name);
  const std::optional<UserLine> entry = find_user(passwd, name, number);
  // The image's passwd does not say who a number is that no number of a user can be
  // (CVE-2026-46680).
  if (is_number(name) && (!number || *number == UINT32_MAX))
    return refuse(cat("user ", quoted(name), ": the number is too large"));
  if (!entry && !number) {
    return refuse(cat("there is no user ", quoted(name), " in the image's /etc/passwd"));
  }
  identity.uid = entry ? entry->uid : *number;
  identity.gid = entry ? entry->gid : 0;
  if (entry) identity.groups = groups_of(group, entry->name);
  if (colon == std::string_view::npos) return checked(std::move(identity));
  const std::string_view group_name = user.substr(colon + 1);
  const auto gid = to_number<uint32_t>(group_name);
  if (!group_name.empty() && is_number(group_name) && (!gid || *gid == UINT32_MAX))
    return refuse(cat("group ", quoted(group_name), ": the number is too large"));
  const auto found = gid ? gid : find_group(group, group_name);
  if (!found)
    return refuse(cat("there is no group ", quoted(group_name), " in the image's /etc/group"));
  identity.gid = *found;
  identity.groups.clear();  // who names a group gets that one, as with other runtimes
  return checked(std::move(identity));
}

}  // namespace ocirt::podfile
