// For tests: facts of a machine and a site on which nothing is wrong.
#pragma once

#include <chrono>

#include "cli/doctor/facts.hpp"

namespace meridian::cli {

constexpr uint64_t kGibibyte = uint64_t{1} << 30;
constexpr WallTime kNow{std::chrono::hours{24} * 365 * 56};

inline MachineFacts HealthyMachine() {
  return {.state_directory = "/srv/photos/.meridian",
          .clock = agent::ClockReading{.synchronized = true, .offset_seconds = 0.001},
          .state_filesystem = agent::FilesystemReading{.total_bytes = 100 * kGibibyte,
                                                       .free_bytes = 40 * kGibibyte,
                                                       .total_inodes = 1000,
                                                       .free_inodes = 900},
          .descriptor_limit = 524'288,
          .memory_bytes = 8 * kGibibyte,
          .kernel = {.somaxconn = 4096,
                     .syn_backlog = 1024,
                     .syn_cookies = 1,
                     .overcommit = 0,
                     .local_ports = std::pair<uint16_t, uint16_t>{32768, 60999}},
          .modes = {{.path = "/srv/photos/.meridian", .mode = 0700, .owner = 7, .is_folder = true}},
          .user = 7,
          .certificates = {{.path = "/srv/photos/.meridian/ca/web.pem",
                            .name = "photos.example",
                            .not_after = kNow + std::chrono::hours{24} * 300,
                            .of_site = true}},
          .now = kNow};
}

inline SiteFacts HealthySite() {
  return {
      .name = "photos",
      .hosted = {"us-east"},
      .needs = {.connections =
                    {{.tier = "edge", .connections = 10'000, .descriptors_each = 2, .loops = 2}},
                .cache_bytes = kGibibyte / 4,
                .tasks = 40,
                .ports = {5300, 8080, 9000, 28000}},
      .data_centers = {{.name = "us-east",
                        .answered = true,
                        .version = "0.1.0",
                        .clock_offset_seconds = 0.01,
                        .clock_uncertainty_seconds = 0.005},
                       {.name = "us-west",
                        .answered = true,
                        .version = "0.1.0",
                        .clock_offset_seconds = 0.05,
                        .clock_uncertainty_seconds = 0.05}},
      .version = "0.1.0"};
}

inline DoctorFacts HealthyFacts() { return {.machine = HealthyMachine(), .site = HealthySite()}; }

}  // namespace meridian::cli
