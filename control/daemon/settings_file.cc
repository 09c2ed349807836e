// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "control/daemon/settings.h"

namespace evenkeel::daemon {
namespace {

constexpr size_t kMaxSettingsBytes = 1 << 20;

absl::Status At(const std::string& path, const YAML::Mark& mark, const std::string& message) {
  return absl::InvalidArgumentError(
      mark.is_null() ? absl::StrCat(path, ": ", message)
                     : absl::StrCat(path, ":", mark.line + 1, ":", mark.column + 1, ": ", message));
}

// Keys of one thing.
bool IsSection(const std::string& key) {
  return key == "limits" || key == "advertise" || key == "webhook" || key == "web" ||
         key == "detector";
}

class Reader {
 public:
  Reader(std::string path, Settings* settings) : path_(std::move(path)), settings_(settings) {}

  // Keys of `map`, each with `prefix` before it.
  absl::Status ReadMap(const YAML::Node& map, const std::string& prefix) {
    for (const auto& entry : map) {
      const YAML::Node& name = entry.first;
      if (!name.IsScalar()) return At(path_, name.Mark(), "a key must be a word");
      const std::string key = absl::StrCat(prefix, name.Scalar());
      if (!seen_.insert(key).second) {
        return At(path_, name.Mark(), absl::StrCat("\"", key, "\" is there twice"));
      }
      if (auto status = ReadEntry(key, name, entry.second); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadEntry(const std::string& key, const YAML::Node& name, const YAML::Node& value) {
    if (key == "interface") return ReadInterfaces(value);
    if (IsSection(key) && value.IsMap()) {
      return ReadMap(value, absl::StrCat(key, "."));
    }
    if (!value.IsScalar()) {
      // An unknown key is the more useful thing to say.
      Settings scratch;
      if (auto status = Set(key, "", &scratch); !status.ok() && !IsSection(key)) {
        return At(path_, name.Mark(), std::string(status.message()));
      }
      return At(path_, value.Mark(), absl::StrCat(key, " has a value of the wrong kind"));
    }
    const absl::Status status = Set(key, value.Scalar(), settings_);
    return status.ok() ? status : At(path_, name.Mark(), std::string(status.message()));
  }

  absl::Status ReadInterfaces(const YAML::Node& value) {
    settings_->interfaces.clear();
    if (value.IsScalar()) {
      settings_->interfaces.push_back(value.Scalar());
      return absl::OkStatus();
    }
    if (!value.IsSequence()) {
      return At(path_, value.Mark(), "interface takes a name or a list of names");
    }
    for (const YAML::Node& element : value) {
      if (!element.IsScalar()) return At(path_, element.Mark(), "an interface must be a name");
      settings_->interfaces.push_back(element.Scalar());
    }
    return absl::OkStatus();
  }

  const std::string path_;
  Settings* const settings_;
  std::set<std::string> seen_;
};

}  // namespace

absl::Status ReadSettingsText(const std::string& text, const std::string& path,
                              Settings* settings) {
  if (text.size() > kMaxSettingsBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is above ", kMaxSettingsBytes,
                                                   " bytes; are these the settings of evenkeeld?"));
  }
  // yaml-cpp throws; nothing of it leaves this function.
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return absl::OkStatus();
    if (!root.IsMap()) return At(path, root.Mark(), "settings are \"key: value\" lines");
    return Reader(path, settings).ReadMap(root, "");
  } catch (const YAML::Exception& error) {
    return At(path, error.mark, error.msg);
  }
}

absl::Status ReadSettingsFile(const std::string& path, Settings* settings) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("settings ", path, " is a directory; name a file with --settings"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("settings ", path, " cannot be read; name a file with --settings"));
  }
  // One byte more than is allowed, so that what is too long is known to be.
  std::string text(kMaxSettingsBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return ReadSettingsText(text, path, settings);
}

}  // namespace evenkeel::daemon
