// The files and folders of a data center's engines, in the state directory. All are of mode 0600 or
// 0700: configurations hold secrets. A value that knows the names; any thread.
//
//   watch-NAME/prometheus/     its data
//   watch-NAME/alertmanager/   its data
//   watch-NAME/engines/        configurations, passwords, targets; the agent writes them
#pragma once

#include <filesystem>
#include <string>

namespace meridian::agent {

class EngineFiles {
 public:
  EngineFiles(const std::filesystem::path& state_directory, const std::string& data_center)
      : root_(state_directory / ("watch-" + data_center)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path settings() const { return root_ / "engines"; }
  // Of an engine's data: `name` is "prometheus" or "alertmanager".
  std::filesystem::path data(const std::string& name) const { return root_ / name; }
  std::filesystem::path config(const std::string& name) const {
    return settings() / (name + ".yml");
  }
  std::filesystem::path web_config(const std::string& name) const {
    return settings() / (name + ".web.yml");
  }
  // Of an engine's port, and of the admin port's metrics.
  std::filesystem::path password(const std::string& name) const {
    return settings() / (name + ".password");
  }
  std::filesystem::path metrics_password() const { return settings() / "metrics.password"; }
  // The instances and workers with metrics, for Prometheus's file_sd.
  std::filesystem::path targets() const { return settings() / "targets.json"; }

 private:
  std::filesystem::path root_;
};

}  // namespace meridian::agent
