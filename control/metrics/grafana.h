// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_METRICS_GRAFANA_H_
#define EVENKEEL_CONTROL_METRICS_GRAFANA_H_

#include <string>

namespace evenkeel::metrics {

// A dashboard for Grafana 9 and later, as JSON to import: an overview, then a panel for each metric
// of the list. It asks for the data source when it is imported.
std::string GrafanaDashboard();

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_CONTROL_METRICS_GRAFANA_H_
