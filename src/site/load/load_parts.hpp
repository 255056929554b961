// The functions that read the parts of site.toml for Parse. Only load*.cpp and reference.cpp
// include this. Each records every error in its part and returns the values that it could read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "site/key_description.hpp"
#include "site/load/load.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"

namespace meridian::site {

// All of them, and the sections of the tiers.
Site ReadSite(ParsePass& pass, const SiteText& source, std::span<const TierDescription> tiers);

std::vector<DataCenter> ReadDataCenters(TableReader& root);
App ReadApp(TableReader& root, const std::filesystem::path& directory);
std::vector<Worker> ReadWorkers(TableReader& root, const std::filesystem::path& directory);
// Keys that an application and a worker have: of their table.
std::vector<std::string> ReadCommand(TableReader& table);
// Absolute; relative to `directory` in the file.
std::filesystem::path ReadDirectory(TableReader& table, const std::filesystem::path& directory);
std::map<std::string, std::string> ReadEnvironment(TableReader& table);
// Empty: the table has none.
std::string ReadMetricsPath(TableReader& table);
Duration ReadStopTimeout(TableReader& table, Duration fallback);
AgentSettings ReadAgent(TableReader& root);
Ports ReadPorts(TableReader& root, std::span<const TierDescription> tiers);
// Of the tiers with has_threads.
std::map<std::string, uint32_t, std::less<>> ReadThreads(TableReader& root,
                                                         std::span<const TierDescription> tiers);
// Called after ReadDataCenters; sets `wan`.
void ReadLab(TableReader& root, Site* site);
std::map<std::string, External, std::less<>> ReadExternals(TableReader& root,
                                                           std::span<const TierDescription> tiers,
                                                           const Environment& environment);

// The descriptions of their keys.
std::vector<std::span<const KeyDescription>> DescriptionParts();
std::span<const KeyDescription> DataCenterKeys();
std::span<const KeyDescription> AppKeys();
std::span<const KeyDescription> WorkerKeys();
std::span<const KeyDescription> PortKeys();
std::span<const KeyDescription> LabKeys();

}  // namespace meridian::site
