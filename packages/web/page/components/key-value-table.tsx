/** Keys with their values, sorted by key. */
export function KeyValueTable({ entries }: { entries: readonly (readonly [string, string])[] }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Key</th>
            <th>Value</th>
          </tr>
        </thead>
        <tbody>
          {entries
            .toSorted(([a], [b]) => a.localeCompare(b))
            .map(([key, value]) => (
              <tr key={key}>
                <td class="mono">{key}</td>
                <td class="wide mono">{value}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}
