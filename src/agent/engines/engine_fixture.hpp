// For tests: a site with two data centers and an edge place, in a folder with an unfriendly name;
// and texts that are kept in files.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "agent/engines/engine_files.hpp"
#include "agent/engines/prometheus_config.hpp"
#include "base/ip.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"
#include "watch/config.hpp"

namespace meridian::agent {

// The text is that of the file. UPDATE_GOLDEN=1 rewrites the file; read the difference.
inline void ExpectGolden(const std::filesystem::path& path, const std::string& text) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text) << path;
}

struct EngineWorld {
  EngineWorld() {
    site.name = "photos";
    site.domain = "photos.example";
    site.datacenters = {
        {.name = "us-east", .address = IpAddress::V4(127, 1, 0, 1)},
        {.name = "us-west", .address = IpAddress::V4(127, 2, 0, 1)},
        {.name = "london", .edge_only = true, .address = IpAddress::V4(127, 3, 0, 1)}};
    site.tiers = {
        {.name = "watch", .ports = {{.port = &site::Ports::watch}}, .needs_table = true},
        {.name = "edge", .ports = {{.port = &site::Ports::edge}}, .in_edge_places = true}};
    site.sections.Put(watch::Config{});
  }

  EnginePlace place(size_t data_center = 0) const {
    const site::DataCenter& here = site.datacenters[data_center];
    return {.site = site,
            .here = here,
            .hosting = site::Hosting::kLab,
            .files = EngineFiles(state, here.name)};
  }

  site::Site site;
  std::filesystem::path state = "/srv/photos/\"a\": [b]\\c #d/.meridian";
};

}  // namespace meridian::agent
