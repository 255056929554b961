// Who may reach the engines of a data center, Prometheus and Alertmanager: the agent and each
// other, by a password that is derived from the admin token, and through the admin port operators.
// Neither the application nor another user of the host has the password, and no engine has the
// token. Pure.
#pragma once

#include <string>
#include <string_view>

#include "site/secret.hpp"

namespace meridian::agent {

// The engines' only user.
inline constexpr std::string_view kEngineUser = "meridian";
// Purposes of site::PasswordFor: of the engines' ports, and of what Prometheus may read at the
// admin port (GET alone).
inline constexpr std::string_view kEnginePurpose = "engines";
inline constexpr std::string_view kMetricsPurpose = "metrics of the agent";
inline constexpr std::string_view kPrometheusPath = "/prometheus";
inline constexpr std::string_view kAlertmanagerPath = "/alertmanager";
// At the admin port: for other data centers, and for Prometheus with `?dc=NAME` of another one.
inline constexpr std::string_view kAggregatesPath = "/.meridian/aggregates";
inline constexpr std::string_view kPeerAggregatesPath = "/.meridian/peer-aggregates";
// And the name of a tier: its metrics (agent/admin/admin_metrics.hpp).
inline constexpr std::string_view kTierMetricsPath = "/.meridian/metrics/";

// --web.config.file of both engines: the user, with the bcrypt hash of `password`, which is at most
// 72 bytes (CHECK). The text for a password is always the same.
std::string EngineWebConfig(const site::Secret& password);

}  // namespace meridian::agent
